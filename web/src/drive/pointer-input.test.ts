// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { FakeDriveInput } from "../testing/fake-drive-input";
import { PointerInput, type PointerSample } from "./pointer-input";
import { ZERO_VELOCITY } from "./velocity";

const sample = (changes: Partial<PointerSample> = {}): PointerSample => ({
  pointerId: 1,
  pointerType: "touch",
  button: 0,
  buttons: 1,
  clientX: 100,
  clientY: 100,
  timeStamp: 1000,
  ...changes,
});

function setup() {
  const driveInput = new FakeDriveInput();
  const input = new PointerInput(driveInput);
  const down = (changes: Partial<PointerSample> = {}) => input.receiveDown(sample(changes), 390, 844);
  return { driveInput, input, down };
}

test("the joystick is centred where the finger is pressed, wherever that is", () => {
  const { driveInput, input, down } = setup();
  expect(down()).toBe(true);
  expect(driveInput.calls).toEqual([["press", "pointer:1", ZERO_VELOCITY]]);
  input.receiveMove(sample({ clientX: 230 }));
  expect(driveInput.velocity).toEqual({ pan: 1, tilt: 0 });
  expect(input.joystick.value).toMatchObject({
    centreXPx: 100,
    centreYPx: 100,
    dxPx: 130,
    dyPx: 0,
    reachPx: 130,
  });
  input.receiveUp(1);
  expect(driveInput.callNames).toEqual(["press", "move", "release"]);
  expect(input.joystick.value).toBeNull();
});

test("a second finger and other buttons are ignored", () => {
  const { driveInput, input, down } = setup();
  expect(down({ button: 2 })).toBe(false);
  down();
  expect(down({ pointerId: 2 })).toBe(false);
  input.receiveMove(sample({ pointerId: 2, clientX: 300 }));
  input.receiveUp(2);
  expect(driveInput.callNames).toEqual(["press"]);
});

test("a mouse whose button was released unseen releases with its next move", () => {
  const { driveInput, input, down } = setup();
  down({ pointerType: "mouse" });
  input.receiveMove(sample({ pointerType: "mouse", buttons: 0, clientX: 300 }));
  input.receiveMove(sample({ pointerType: "mouse", buttons: 0, clientX: 400 }));
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("a long touch opens no menu and goes on driving; a mouse's context menu releases", () => {
  const { driveInput, input, down } = setup();
  const menu = new Event("contextmenu", { cancelable: true });
  down();
  input.receiveContextMenu(menu);
  expect(menu.defaultPrevented).toBe(true);
  expect(driveInput.callNames).toEqual(["press"]);
  input.receiveUp(1);
  down({ pointerType: "mouse" });
  input.receiveContextMenu(menu);
  expect(driveInput.callNames).toEqual(["press", "release", "press", "release"]);
});

let stopListening = () => {};
afterEach(() => stopListening());

function listening() {
  const { driveInput, input } = setup();
  const surface = document.createElement("div");
  const captured: number[] = [];
  surface.setPointerCapture = (id) => captured.push(id);
  document.body.append(surface);
  stopListening = input.listen(surface);
  const send = (type: string, changes: PointerEventInit = {}) =>
    surface.dispatchEvent(new PointerEvent(type, { pointerId: 1, button: 0, buttons: 1, ...changes }));
  return { driveInput, input, captured, send };
}

test("the pointer is captured, so that it may leave the picture", () => {
  const { captured, send } = listening();
  send("pointerdown");
  expect(captured).toEqual([1]);
});

test.each(["pointerup", "pointercancel", "lostpointercapture"])("%s releases, once", (type) => {
  const { driveInput, send } = listening();
  send("pointerdown");
  send(type);
  send("lostpointercapture");
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test.each(["blur", "pagehide"])("%s of the window releases, and the finger must press again", (type) => {
  const { driveInput, send } = listening();
  send("pointerdown");
  window.dispatchEvent(new Event(type));
  send("pointermove", { clientX: 200 });
  expect(driveInput.callNames).toEqual(["press", "release"]);
  send("pointerdown");
  expect(driveInput.callNames).toEqual(["press", "release", "press"]);
});

test("when listening ends, the hold is released and further presses are ignored", () => {
  const { driveInput, send } = listening();
  send("pointerdown");
  stopListening();
  send("pointerdown");
  expect(driveInput.callNames).toEqual(["press", "release"]);
});
