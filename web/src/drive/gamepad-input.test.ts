import { expect, test } from "vitest";
import { FakeDriveInput } from "../testing/fake-drive-input";
import { AllGamepads, GamepadInput, type GamepadReading } from "./gamepad-input";

const pad = (axes: number[], pressed: number[] = []): GamepadReading => ({
  index: 0,
  axes,
  buttons: Array.from({ length: 17 }, (_, button) => ({ pressed: pressed.includes(button) })),
});
const REST = pad([0.02, -0.01, 0, 0]);
const RIGHT = pad([1, 0, 0, 0]);

function setup() {
  const driveInput = new FakeDriveInput();
  return { driveInput, stick: new GamepadInput(0, driveInput) };
}

test("leaving the centre presses, returning to it releases", () => {
  const { driveInput, stick } = setup();
  stick.receive(REST, 0);
  stick.receive(RIGHT, 16);
  stick.receive(pad([0, -1, 0, 0]), 32);
  stick.receive(REST, 48);
  stick.receive(REST, 64);
  expect(driveInput.calls).toEqual([
    ["press", "gamepad:0", { pan: 1, tilt: 0 }],
    ["move", "gamepad:0", { pan: 0, tilt: 1 }],
    ["release", "gamepad:0"],
  ]);
});

test("a stick that is deflected when first read cannot press until it was at rest", () => {
  const { driveInput, stick } = setup();
  stick.receive(RIGHT, 0);
  expect(driveInput.callNames).toEqual([]);
  stick.receive(REST, 16);
  stick.receive(RIGHT, 32);
  expect(driveInput.callNames).toEqual(["press"]);
});

test("the right stick works like the left one", () => {
  const { driveInput, stick } = setup();
  stick.receive(REST, 0);
  stick.receive(pad([0.02, 0, -1, 0]), 16);
  expect(driveInput.velocity).toEqual({ pan: -1, tilt: 0 });
});

test("the D-pad works like the keys and speeds up", () => {
  const { driveInput, stick } = setup();
  stick.receive(REST, 0);
  stick.receive(pad([0, 0, 0, 0], [15, 12]), 16);
  expect(driveInput.velocity).toEqual({ pan: 0.212, tilt: 0.212 });
  stick.receive(pad([0, 0, 0, 0], [15]), 5000);
  expect(driveInput.velocity).toEqual({ pan: 0.65, tilt: 0 });
});

test("the second button stops once per press, and not if it was already down", () => {
  const { driveInput, stick } = setup();
  stick.receive(pad([0, 0], [1]), 0);
  stick.receive(REST, 16);
  stick.receive(pad([0, 0], [1]), 32);
  stick.receive(pad([0, 0], [1]), 48);
  expect(driveInput.callNames).toEqual(["stop"]);
});

test("a gamepad that is disconnected releases", () => {
  const { driveInput, stick } = setup();
  stick.receive(REST, 0);
  stick.receive(RIGHT, 16);
  stick.release();
  stick.release();
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("a gamepad with few axes and no buttons still works", () => {
  const { driveInput, stick } = setup();
  stick.receive({ index: 0, axes: [], buttons: [] }, 0);
  stick.receive({ index: 0, axes: [1], buttons: [] }, 16);
  expect(driveInput.velocity).toEqual({ pan: 1, tilt: 0 });
});

test("a gamepad does nothing in a window without focus: no press, and no stop", () => {
  const driveInput = new FakeDriveInput();
  const pads = new AllGamepads(driveInput);
  for (const [step, reading] of [REST, RIGHT, REST, pad([0, 0], [1])].entries()) {
    pads.receive([reading], false, step * 16);
  }
  expect(driveInput.callNames).toEqual([]);
});

test("a stick that is held while the window gains focus cannot press until it is released", () => {
  const driveInput = new FakeDriveInput();
  const pads = new AllGamepads(driveInput);
  pads.receive([REST], true, 0);
  pads.receive([REST], false, 16);
  pads.receive([RIGHT], false, 32);
  pads.receive([RIGHT], true, 48);
  pads.receive([pad([1, 0, 0, 0], [1])], true, 64);
  expect(driveInput.callNames).toEqual(["stop"]); // it was not down when the window gained focus
  pads.receive([REST], true, 80);
  pads.receive([RIGHT], true, 96);
  expect(driveInput.callNames).toEqual(["stop", "press"]);
});

test("a window that loses focus releases the stick, and a stick that stays deflected is not a new press", () => {
  const driveInput = new FakeDriveInput();
  const pads = new AllGamepads(driveInput);
  pads.receive([REST], true, 0);
  pads.receive([RIGHT], true, 16);
  pads.receive([RIGHT], false, 32);
  pads.receive([RIGHT], true, 48);
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("a gamepad that is unplugged releases, and the other goes on", () => {
  const driveInput = new FakeDriveInput();
  const pads = new AllGamepads(driveInput);
  const second = { ...REST, index: 1 };
  pads.receive([REST, second], true, 0);
  pads.receive([RIGHT, second], true, 16);
  pads.receive([second], true, 32);
  pads.receive([{ ...RIGHT, index: 1 }], true, 48);
  expect(driveInput.calls.map(([verb, source]) => [verb, source])).toEqual([
    ["press", "gamepad:0"],
    ["release", "gamepad:0"],
    ["press", "gamepad:1"],
  ]);
});
