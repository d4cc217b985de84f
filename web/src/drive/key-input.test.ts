// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { FakeHands } from "../testing/fake-drive-input";
import { FakeTimers } from "../testing/fake-timers";
import { KeyInput } from "./key-input";

let stopListening = () => {};
afterEach(() => stopListening());

function stage() {
  const hands = new FakeHands();
  const timers = new FakeTimers();
  stopListening = new KeyInput(hands, timers).listen();
  const send = (type: string, code: string, init: KeyboardEventInit, target: EventTarget = window) => {
    const event = new KeyboardEvent(type, { code, bubbles: true, cancelable: true, ...init });
    Object.defineProperty(event, "timeStamp", { value: timers.now() });
    target.dispatchEvent(event);
    return event;
  };
  const down = (code: string, init: KeyboardEventInit = {}, target?: EventTarget) =>
    send("keydown", code, init, target);
  const up = (code: string, init: KeyboardEventInit = {}) => send("keyup", code, init);
  return { hands, timers, down, up };
}

test.each([
  ["ArrowRight", "KeyD", { pan: 0.3, tilt: 0 }],
  ["ArrowLeft", "KeyA", { pan: -0.3, tilt: 0 }],
  ["ArrowUp", "KeyW", { pan: 0, tilt: 0.3 }],
  ["ArrowDown", "KeyS", { pan: 0, tilt: -0.3 }],
])("%s and %s turn alike", (arrow, letter, expected) => {
  for (const code of [arrow, letter]) {
    const { hands, down, up } = stage();
    down(code);
    expect(hands.deeds[0]).toEqual(["press", "keys", expected]);
    up(code);
    expect(hands.verbs).toEqual(["press", "letGo"]);
    stopListening();
  }
});

test("a key that is held turns faster by and by, and then no more messages are made", () => {
  const { hands, timers, down } = stage();
  down("ArrowRight");
  timers.pass(2000);
  expect(hands.velocity).toEqual({ pan: 0.65, tilt: 0 });
  expect(timers.waiting).toBe(0);
});

test("Shift turns at full speed, from the press or in the middle of it", () => {
  const { hands, down, up } = stage();
  down("ArrowRight");
  down("ShiftLeft", { shiftKey: true });
  expect(hands.velocity?.pan).toBe(1);
  up("ShiftLeft");
  expect(hands.velocity?.pan).toBe(0.3);
});

test("two keys are one hold: diagonal together, straight again when one is let go", () => {
  const { hands, down, up } = stage();
  down("ArrowRight");
  down("ArrowUp");
  expect(hands.velocity).toEqual({ pan: 0.212, tilt: 0.212 });
  up("ArrowRight");
  expect(hands.velocity).toEqual({ pan: 0, tilt: 0.3 });
  up("ArrowUp");
  expect(hands.verbs).toEqual(["press", "move", "move", "letGo"]);
});

test("two opposite keys hold still", () => {
  const { hands, down } = stage();
  down("ArrowRight");
  down("ArrowLeft");
  expect(hands.velocity).toEqual({ pan: 0, tilt: 0 });
});

test("a key that repeats by itself is no press, not even after the window was away", () => {
  const { hands, down } = stage();
  down("ArrowRight");
  window.dispatchEvent(new Event("blur"));
  down("ArrowRight", { repeat: true });
  expect(hands.verbs).toEqual(["press", "letGo"]);
});

test("a command to the browser is left to it, and lets go", () => {
  const { hands, down } = stage();
  down("ArrowRight");
  const event = down("ArrowLeft", { metaKey: true });
  expect(event.defaultPrevented).toBe(false);
  expect(hands.verbs).toEqual(["press", "letGo"]);
});

test("Escape and the space bar stop", () => {
  const { hands, down } = stage();
  down("Escape");
  down("Space");
  expect(hands.verbs).toEqual(["stop", "stop"]);
});

test("the space bar presses a focused button as everywhere, and Escape stops even there", () => {
  const { hands, down } = stage();
  const button = document.createElement("button");
  document.body.append(button);
  const event = down("Space", {}, button);
  expect(event.defaultPrevented).toBe(false);
  down("Escape", {}, button);
  expect(hands.verbs).toEqual(["stop"]);
});

test("arrow keys do not scroll the page; other keys are none of ours", () => {
  const { hands, down } = stage();
  expect(down("ArrowDown").defaultPrevented).toBe(true);
  expect(down("Tab").defaultPrevented).toBe(false);
  expect(hands.verbs).toEqual(["press"]);
});
