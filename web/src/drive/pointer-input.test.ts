// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { FakeDriveInput } from "../testing/fake-drive-input";
import { FakeTimers } from "../testing/fake-timers";
import type { Point } from "./gesture";
import { PointerInput, type PointerSample } from "./pointer-input";
import { dragReachPx } from "./response-curve";

const sample = (changes: Partial<PointerSample> = {}): PointerSample => ({
  pointerId: 1,
  pointerType: "touch",
  isPrimary: true,
  button: 0,
  buttons: 1,
  xPx: 100,
  yPx: 100,
  timeStamp: 1000,
  ...changes,
});

function setup() {
  const driveInput = new FakeDriveInput();
  const timers = new FakeTimers();
  const zooms: (readonly [factor: number, from: Point, to: Point])[] = [];
  const picture = {
    doubleTaps: 0,
    zoomBy: (...zoom: [factor: number, from: Point, to: Point]) => zooms.push(zoom),
    receiveDoubleTap() {
      this.doubleTaps++;
    },
  };
  const input = new PointerInput(driveInput, timers, picture);
  const down = (changes: Partial<PointerSample> = {}) => input.receiveDown(sample(changes), 390, 844);
  const settle = () => timers.advance(80);
  return { driveInput, timers, input, picture, zooms, down, settle };
}

test("the joystick is centred where the finger is pressed, wherever that is", () => {
  const { driveInput, input, down, settle } = setup();
  expect(down()).toBe(true);
  settle();
  expect(driveInput.calls).toEqual([]);
  input.receiveMove(sample({ xPx: 230 }));
  expect(driveInput.velocity).toEqual({ pan: 1, tilt: 0 });
  expect(input.joystick.value).toMatchObject({
    centreXPx: 100,
    centreYPx: 100,
    dxPx: 130,
    dyPx: 0,
    reachPx: 130,
  });
  input.receiveMove(sample({ xPx: 231 }));
  input.receiveUp(1, 2000);
  expect(driveInput.callNames).toEqual(["press", "move", "release"]);
  expect(input.joystick.value).toBeNull();
});

test("a finger that moves at once drives after a moment in which a second one would have made it a pinch", () => {
  const { driveInput, input, timers, down } = setup();
  down();
  input.receiveMove(sample({ xPx: 230 }));
  timers.advance(79);
  expect(driveInput.calls).toEqual([]);
  timers.advance(1);
  expect(driveInput.calls).toEqual([["press", "pointer:1", { pan: 1, tilt: 0 }]]);
});

test("a press that may follow is announced, once for each finger that is alone", () => {
  const { driveInput, down } = setup();
  down();
  expect(driveInput.preparations).toBe(1);
  down({ pointerId: 2, isPrimary: false });
  expect(driveInput.preparations).toBe(1);
});

test("a second finger releases and zooms; other buttons are ignored", () => {
  const { driveInput, input, zooms, down, settle } = setup();
  expect(down({ button: 2 })).toBe(false);
  down();
  settle();
  input.receiveMove(sample({ xPx: 150 }));
  expect(down({ pointerId: 2, isPrimary: false, xPx: 250 })).toBe(true);
  input.receiveMove(sample({ pointerId: 2, xPx: 350 }));
  input.receiveUp(2, 2000);
  input.receiveMove(sample({ xPx: 300 }));
  expect(driveInput.callNames).toEqual(["press", "release"]);
  expect(zooms).toEqual([[2, { xPx: 200, yPx: 100 }, { xPx: 250, yPx: 100 }]]);
});

test("a second finger before the first has settled drives nothing, then or later", () => {
  const { driveInput, input, timers, down } = setup();
  down();
  input.receiveMove(sample({ xPx: 150 }));
  down({ pointerId: 2, isPrimary: false });
  timers.advance(1000);
  expect(driveInput.calls).toEqual([]);
});

test("a double tap is for the picture alone", () => {
  const { driveInput, input, picture, down } = setup();
  down({ timeStamp: 1000 });
  input.receiveUp(1, 1050);
  down({ timeStamp: 1150 });
  input.receiveUp(1, 1200);
  expect(picture.doubleTaps).toBe(1);
  expect(driveInput.calls).toEqual([]);
});

test("a mouse whose button was released unseen releases with its next move", () => {
  const { driveInput, input, down } = setup();
  down({ pointerType: "mouse" });
  input.receiveMove(sample({ pointerType: "mouse", xPx: 150 }));
  input.receiveMove(sample({ pointerType: "mouse", buttons: 0, xPx: 300 }));
  input.receiveMove(sample({ pointerType: "mouse", buttons: 0, xPx: 400 }));
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("a long touch opens no menu and goes on driving; a mouse's context menu releases", () => {
  const { driveInput, input, down, settle } = setup();
  const menu = new Event("contextmenu", { cancelable: true });
  down();
  settle();
  input.receiveMove(sample({ xPx: 150 }));
  input.receiveContextMenu(menu);
  expect(menu.defaultPrevented).toBe(true);
  expect(driveInput.callNames).toEqual(["press"]);
  input.receiveUp(1, 2000);
  down({ pointerType: "mouse" });
  input.receiveMove(sample({ pointerType: "mouse", xPx: 150 }));
  input.receiveContextMenu(menu);
  expect(driveInput.callNames).toEqual(["press", "release", "press", "release"]);
});

test.each([
  ["a notch of a wheel zooms in a little", { deltaY: -100 }, 2 ** 0.25],
  ["and out", { deltaY: 200 }, 2 ** -0.5],
  ["also where it counts in lines", { deltaY: -25, deltaMode: 1 }, 2],
  ["the pinch of a trackpad zooms with the fingers", { deltaY: -7, ctrlKey: true }, 2 ** 0.1],
  ["no event more than doubles it", { deltaY: -9000 }, 2],
])("%s", (_, changes, factor) => {
  const { driveInput, input, zooms } = setup();
  let isPrevented = false;
  const preventDefault = () => {
    isPrevented = true;
  };
  input.receiveWheel({ deltaMode: 0, ctrlKey: false, preventDefault, ...changes }, { xPx: 30, yPx: 40 });
  const at = { xPx: 30, yPx: 40 };
  expect(zooms).toEqual([[expect.closeTo(factor), at, at]]);
  expect(isPrevented).toBe(true);
  expect(driveInput.calls).toEqual([]);
});

let stopListening = () => {};
afterEach(() => stopListening());

function listening() {
  const { driveInput, input, zooms } = setup();
  const surface = document.createElement("div");
  const captured: number[] = [];
  surface.setPointerCapture = (id) => captured.push(id);
  document.body.append(surface);
  stopListening = input.listen(surface);
  const send = (type: string, changes: PointerEventInit = {}) =>
    surface.dispatchEvent(
      new PointerEvent(type, { pointerId: 1, pointerType: "mouse", button: 0, buttons: 1, ...changes }),
    );
  const drag = () => {
    send("pointerdown");
    send("pointermove", { clientX: 100 });
  };
  return { driveInput, input, surface, captured, zooms, send, drag };
}

test("every pointer is captured, so that it may leave the picture", () => {
  const { captured, send } = listening();
  send("pointerdown", { pointerType: "touch", isPrimary: true });
  send("pointerdown", { pointerType: "touch", pointerId: 2 });
  expect(captured).toEqual([1, 2]);
});

test.each(["pointerup", "pointercancel", "lostpointercapture"])("%s releases, once", (type) => {
  const { driveInput, send, drag } = listening();
  drag();
  send(type);
  send("lostpointercapture");
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test.each(["blur", "pagehide"])("%s of the window releases, and the finger must press again", (type) => {
  const { driveInput, send, drag } = listening();
  drag();
  window.dispatchEvent(new Event(type));
  send("pointermove", { clientX: 200 });
  expect(driveInput.callNames).toEqual(["press", "release"]);
  drag();
  expect(driveInput.callNames).toEqual(["press", "release", "press"]);
});

test("when listening ends, the hold is released and further presses are ignored", () => {
  const { driveInput, drag } = listening();
  drag();
  stopListening();
  drag();
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("a phone that is turned, or a window that is resized, ends a slow drag before it becomes a fast one", () => {
  const { driveInput, input, surface, send, drag } = listening();
  surface.getBoundingClientRect = () => new DOMRect(0, 0, 390, 844);
  send("pointerdown", { clientX: 100, clientY: 600 });
  send("pointermove", { clientX: 130, clientY: 600 });
  expect(driveInput.callNames).toEqual(["press"]);
  surface.getBoundingClientRect = () => new DOMRect(0, 0, 844, 390);
  send("pointermove", { clientX: 600, clientY: 290 }); // the same place on the glass
  expect(driveInput.callNames).toEqual(["press", "release"]);
  expect(input.joystick.value).toBeNull();
  send("pointermove", { clientX: 700, clientY: 290 });
  expect(driveInput.callNames).toEqual(["press", "release"]);
  send("pointerup");
  drag();
  expect(driveInput.callNames).toEqual(["press", "release", "press"]);
});

test("a finger that rests while a keyboard pushes the picture away is released at once", () => {
  const { driveInput, surface, drag } = listening();
  surface.getBoundingClientRect = () => new DOMRect(0, 0, 390, 844);
  drag();
  surface.getBoundingClientRect = () => new DOMRect(0, 0, 390, 500);
  window.dispatchEvent(new Event("resize"));
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("small changes add up", () => {
  const { driveInput, surface, drag } = listening();
  surface.getBoundingClientRect = () => new DOMRect(0, 0, 390, 844);
  drag();
  for (const topPx of [1, 2, 3]) {
    surface.getBoundingClientRect = () => new DOMRect(0, topPx, 390, 844);
    window.dispatchEvent(new Event("scroll"));
  }
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("the wheel over the picture zooms the picture instead of the page", () => {
  const { surface, zooms } = listening();
  const event = new WheelEvent("wheel", { deltaY: -400, cancelable: true });
  surface.dispatchEvent(event);
  expect(zooms).toHaveLength(1);
  expect(event.defaultPrevented).toBe(true);
});

test("places count from the corner of the picture, which may be anywhere in a page", () => {
  const { input, surface, zooms, send } = listening();
  surface.getBoundingClientRect = () => new DOMRect(200, 50, 400, 300);
  send("pointerdown", { clientX: 300, clientY: 150 });
  send("pointermove", { clientX: 340, clientY: 150 });
  expect(input.joystick.value).toMatchObject({ centreXPx: 100, centreYPx: 100, dxPx: 40 });
  // happy-dom's wheel has no place
  surface.dispatchEvent(
    Object.assign(new WheelEvent("wheel", { deltaY: -400 }), { clientX: 210, clientY: 70 }),
  );
  expect(zooms[0]?.[1]).toEqual({ xPx: 10, yPx: 20 });
});

test("how far to drag for full speed follows from the size of the picture, not of the window", () => {
  const { input, surface, send } = listening();
  Object.defineProperties(surface, { clientWidth: { value: 300 }, clientHeight: { value: 240 } });
  send("pointerdown");
  send("pointermove", { clientX: 30 });
  expect(input.joystick.value?.reachPx).toBe(dragReachPx(300, 240));
});
