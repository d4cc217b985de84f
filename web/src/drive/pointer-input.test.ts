// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { FakeHands } from "../testing/fake-drive-input";
import { PointerInput, type Touch } from "./pointer-input";
import { STILL } from "./velocity";

const touch = (changes: Partial<Touch> = {}): Touch => ({
  pointerId: 1,
  pointerType: "touch",
  button: 0,
  buttons: 1,
  clientX: 100,
  clientY: 100,
  timeStamp: 1000,
  ...changes,
});

function stage() {
  const hands = new FakeHands();
  const input = new PointerInput(hands);
  const down = (changes: Partial<Touch> = {}) => input.receiveDown(touch(changes), 390, 844);
  return { hands, input, down };
}

test("where the finger comes down is the stick's centre, wherever that is", () => {
  const { hands, input, down } = stage();
  expect(down()).toBe(true);
  expect(hands.deeds).toEqual([["press", "pointer:1", STILL]]);
  input.receiveMove(touch({ clientX: 230 }));
  expect(hands.velocity).toEqual({ pan: 1, tilt: 0 });
  expect(input.stick.value).toMatchObject({ x: 100, y: 100, dx: 130, dy: 0, reach: 130 });
  input.receiveUp(1);
  expect(hands.verbs).toEqual(["press", "move", "letGo"]);
  expect(input.stick.value).toBeNull();
});

test("a second finger and other buttons are nothing", () => {
  const { hands, input, down } = stage();
  expect(down({ button: 2 })).toBe(false);
  down();
  expect(down({ pointerId: 2 })).toBe(false);
  input.receiveMove(touch({ pointerId: 2, clientX: 300 }));
  input.receiveUp(2);
  expect(hands.verbs).toEqual(["press"]);
});

test("a mouse whose button went up unseen lets go with its next move", () => {
  const { hands, input, down } = stage();
  down({ pointerType: "mouse" });
  input.receiveMove(touch({ pointerType: "mouse", buttons: 0, clientX: 300 }));
  input.receiveMove(touch({ pointerType: "mouse", buttons: 0, clientX: 400 }));
  expect(hands.verbs).toEqual(["press", "letGo"]);
});

test("a long touch opens no menu and holds on; a mouse's menu lets go", () => {
  const { hands, input, down } = stage();
  const menu = new Event("contextmenu", { cancelable: true });
  down();
  input.receiveMenu(menu);
  expect(menu.defaultPrevented).toBe(true);
  expect(hands.verbs).toEqual(["press"]);
  input.receiveUp(1);
  down({ pointerType: "mouse" });
  input.receiveMenu(menu);
  expect(hands.verbs).toEqual(["press", "letGo", "press", "letGo"]);
});

let stopListening = () => {};
afterEach(() => stopListening());

function listening() {
  const { hands, input } = stage();
  const surface = document.createElement("div");
  const captured: number[] = [];
  surface.setPointerCapture = (id) => captured.push(id);
  document.body.append(surface);
  stopListening = input.listen(surface);
  const send = (type: string, changes: PointerEventInit = {}) =>
    surface.dispatchEvent(new PointerEvent(type, { pointerId: 1, button: 0, buttons: 1, ...changes }));
  return { hands, input, captured, send };
}

test("the finger that presses is captured, so that it may leave the picture", () => {
  const { captured, send } = listening();
  send("pointerdown");
  expect(captured).toEqual([1]);
});

test.each(["pointerup", "pointercancel", "lostpointercapture"])("%s lets go, once", (type) => {
  const { hands, send } = listening();
  send("pointerdown");
  send(type);
  send("lostpointercapture");
  expect(hands.verbs).toEqual(["press", "letGo"]);
});

test.each(["blur", "pagehide"])("%s of the window lets go, and the finger must press afresh", (type) => {
  const { hands, send } = listening();
  send("pointerdown");
  window.dispatchEvent(new Event(type));
  send("pointermove", { clientX: 200 });
  expect(hands.verbs).toEqual(["press", "letGo"]);
  send("pointerdown");
  expect(hands.verbs).toEqual(["press", "letGo", "press"]);
});

test("when nobody listens any more, the hold is let go and the next press is nothing", () => {
  const { hands, send } = listening();
  send("pointerdown");
  stopListening();
  send("pointerdown");
  expect(hands.verbs).toEqual(["press", "letGo"]);
});
