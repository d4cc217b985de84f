// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { FakeDriveInput } from "../testing/fake-drive-input";
import { FakeTimers } from "../testing/fake-timers";
import { WHOLE_WINDOW } from "./input-area";
import { KeyInput } from "./key-input";

let stopListening = () => {};
afterEach(() => stopListening());

function setup() {
  const driveInput = new FakeDriveInput();
  const timers = new FakeTimers();
  stopListening = new KeyInput(driveInput, timers).listen(WHOLE_WINDOW);
  const send = (type: string, code: string, init: KeyboardEventInit, target: EventTarget = window) => {
    const event = new KeyboardEvent(type, { code, bubbles: true, cancelable: true, ...init });
    Object.defineProperty(event, "timeStamp", { value: timers.now() });
    target.dispatchEvent(event);
    return event;
  };
  const down = (code: string, init: KeyboardEventInit = {}, target?: EventTarget) =>
    send("keydown", code, init, target);
  const up = (code: string, init: KeyboardEventInit = {}) => send("keyup", code, init);
  return { driveInput, timers, down, up };
}

test.each([
  ["ArrowRight", "KeyD", { pan: 0.3, tilt: 0 }],
  ["ArrowLeft", "KeyA", { pan: -0.3, tilt: 0 }],
  ["ArrowUp", "KeyW", { pan: 0, tilt: 0.3 }],
  ["ArrowDown", "KeyS", { pan: 0, tilt: -0.3 }],
])("%s and %s turn alike", (arrow, letter, expected) => {
  for (const code of [arrow, letter]) {
    const { driveInput, down, up } = setup();
    down(code);
    expect(driveInput.calls[0]).toEqual(["press", "keys", expected]);
    up(code);
    expect(driveInput.callNames).toEqual(["press", "release"]);
    stopListening();
  }
});

test("a held key speeds up to its maximum, and then makes no more calls", () => {
  const { driveInput, timers, down } = setup();
  down("ArrowRight");
  timers.advance(2000);
  expect(driveInput.velocity).toEqual({ pan: 0.65, tilt: 0 });
  expect(timers.pendingCount).toBe(0);
});

test("Shift gives full speed, from the press on or in the middle of it", () => {
  const { driveInput, down, up } = setup();
  down("ArrowRight");
  down("ShiftLeft", { shiftKey: true });
  expect(driveInput.velocity?.pan).toBe(1);
  up("ShiftLeft");
  expect(driveInput.velocity?.pan).toBe(0.3);
});

test("two keys are one hold: diagonal together, straight again when one is released", () => {
  const { driveInput, down, up } = setup();
  down("ArrowRight");
  down("ArrowUp");
  expect(driveInput.velocity).toEqual({ pan: 0.212, tilt: 0.212 });
  up("ArrowRight");
  expect(driveInput.velocity).toEqual({ pan: 0, tilt: 0.3 });
  up("ArrowUp");
  expect(driveInput.callNames).toEqual(["press", "move", "move", "release"]);
});

test("two opposite keys cancel out", () => {
  const { driveInput, down } = setup();
  down("ArrowRight");
  down("ArrowLeft");
  expect(driveInput.velocity).toEqual({ pan: 0, tilt: 0 });
});

test("auto-repeat is not a press, not even after the window lost focus", () => {
  const { driveInput, down } = setup();
  down("ArrowRight");
  window.dispatchEvent(new Event("blur"));
  down("ArrowRight", { repeat: true });
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("a browser shortcut is left to the browser, and releases", () => {
  const { driveInput, down } = setup();
  down("ArrowRight");
  const event = down("ArrowLeft", { metaKey: true });
  expect(event.defaultPrevented).toBe(false);
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("Escape and the space bar stop", () => {
  const { driveInput, down } = setup();
  down("Escape");
  down("Space");
  expect(driveInput.callNames).toEqual(["stop", "stop"]);
});

test("the space bar still presses a focused button, and Escape stops even there", () => {
  const { driveInput, down } = setup();
  const button = document.createElement("button");
  document.body.append(button);
  const event = down("Space", {}, button);
  expect(event.defaultPrevented).toBe(false);
  down("Escape", {}, button);
  expect(driveInput.callNames).toEqual(["stop"]);
});

test("arrow keys do not scroll the page; other keys are ignored", () => {
  const { driveInput, down } = setup();
  expect(down("ArrowDown").defaultPrevented).toBe(true);
  expect(down("Tab").defaultPrevented).toBe(false);
  expect(driveInput.callNames).toEqual(["press"]);
});

test.each([
  ["a remote's arrow without a code", "", "ArrowLeft", { pan: -0.3, tilt: 0 }],
  ["an old television's", "", "Up", { pan: 0, tilt: 0.3 }],
  ["a key that was remapped to an arrow", "KeyH", "ArrowLeft", { pan: -0.3, tilt: 0 }],
  ["an arrow that an input method hides", "ArrowRight", "Process", { pan: 0.3, tilt: 0 }],
  ["an arrow of the number pad", "Numpad8", "ArrowUp", { pan: 0, tilt: 0.3 }],
  ["the same with Num Lock", "Numpad8", "8", { pan: 0, tilt: 0.3 }],
])("%s turns, and its release stops that", (_, code, key, expected) => {
  const { driveInput, down, up } = setup();
  expect(down(code, { key }).defaultPrevented).toBe(true);
  expect(driveInput.velocity).toEqual(expected);
  up(code, { key });
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test.each([
  ["", "Escape"],
  ["", "Esc"],
  ["CapsLock", "Escape"],
  ["Escape", "Process"],
  ["", " "],
])("the key with the code %j and the meaning %j stops", (code, key) => {
  const { driveInput, down } = setup();
  down(code, { key });
  expect(driveInput.callNames).toEqual(["stop"]);
});

test.each([
  ["lost its code", "", "ArrowLeft"],
  ["lost its meaning", "ArrowLeft", "Unidentified"],
  ["lost both, so that it may be any key", "", "Unidentified"],
])("a release that %s still releases", (_, code, key) => {
  const { driveInput, down, up } = setup();
  down("ArrowLeft", { key: "ArrowLeft" });
  up(code, { key });
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("the arrow keys belong to a slider that has the focus, and Escape stops even there", () => {
  const { driveInput, down } = setup();
  const slider = document.createElement("input");
  document.body.append(slider);
  expect(down("ArrowLeft", { key: "ArrowLeft" }, slider).defaultPrevented).toBe(false);
  down("", { key: "Escape" }, slider);
  expect(driveInput.callNames).toEqual(["stop"]);
});
