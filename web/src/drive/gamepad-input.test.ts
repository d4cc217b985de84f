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
  return { driveInput, stick: new GamepadInput(0, driveInput, () => 0.12) };
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
  const pads = new AllGamepads(driveInput, () => 0.12);
  for (const [step, reading] of [REST, RIGHT, REST, pad([0, 0], [1])].entries()) {
    pads.receive([reading], false, step * 16);
  }
  expect(driveInput.callNames).toEqual([]);
});

test("a stick that is held while the window gains focus cannot press until it is released", () => {
  const driveInput = new FakeDriveInput();
  const pads = new AllGamepads(driveInput, () => 0.12);
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
  const pads = new AllGamepads(driveInput, () => 0.12);
  pads.receive([REST], true, 0);
  pads.receive([RIGHT], true, 16);
  pads.receive([RIGHT], false, 32);
  pads.receive([RIGHT], true, 48);
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("a gamepad that is unplugged releases, and the other goes on", () => {
  const driveInput = new FakeDriveInput();
  const pads = new AllGamepads(driveInput, () => 0.12);
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

test("a stick that rests beside its middle stops creeping, and its way is open again", () => {
  const { driveInput, stick } = setup();
  const tilted = pad([0.3, 0, 0, 0]);
  stick.receive(REST, 0); // as browsers report it before it is first moved
  for (let ms = 16; ms < 3000; ms += 16) {
    stick.receive(tilted, ms);
  }
  expect(driveInput.callNames[0]).toBe("press");
  expect(driveInput.callNames.at(-1)).toBe("release");
  stick.receive(RIGHT, 3016);
  expect(driveInput.calls.at(-1)).toEqual(["press", "gamepad:0", { pan: 1, tilt: 0 }]);
});

test("within the dead zone that the visitor set, nothing turns", () => {
  const driveInput = new FakeDriveInput();
  const view = { deadZone: 0.4 };
  const stick = new GamepadInput(0, driveInput, () => view.deadZone);
  stick.receive(REST, 0);
  stick.receive(pad([0.35, 0]), 16);
  expect(driveInput.callNames).toEqual([]);
  view.deadZone = 0.2;
  stick.receive(pad([0.35, 0]), 32);
  expect(driveInput.callNames).toEqual(["press"]);
});

test("a gamepad that is listed and no longer connected releases", () => {
  const driveInput = new FakeDriveInput();
  const pads = new AllGamepads(driveInput, () => 0.12);
  pads.receive([REST], true, 0);
  pads.receive([RIGHT], true, 16);
  pads.receive([{ ...RIGHT, connected: false }], true, 32);
  pads.receive([{ ...RIGHT, connected: true }], true, 48);
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

test("another gamepad with the number of one that is gone must be seen at rest first", () => {
  const driveInput = new FakeDriveInput();
  const pads = new AllGamepads(driveInput, () => 0.12);
  pads.receive([{ ...REST, id: "one" }], true, 0);
  pads.receive([{ ...RIGHT, id: "one" }], true, 16);
  pads.receive([{ ...RIGHT, id: "other" }], true, 32);
  expect(driveInput.callNames).toEqual(["press", "release"]);
});

/** A gamepad that is held while time passes; another one may be heard meanwhile. */
function holdFor(durationMs: number, isOtherHeard: boolean, timestamp: number | undefined) {
  const driveInput = new FakeDriveInput();
  const pads = new AllGamepads(driveInput, () => 0.12);
  const stamp = timestamp === undefined ? {} : { timestamp };
  pads.receive([{ ...REST, ...stamp }], true, 0);
  for (let ms = 16; ms <= durationMs; ms += 16) {
    const other = { ...REST, index: 1, timestamp: isOtherHeard ? ms : 5 };
    pads.receive([{ ...RIGHT, ...stamp }, other], true, ms);
  }
  return { driveInput, pads };
}

test("a gamepad whose time stamp stands while another's moves on releases, and must be seen at rest", () => {
  const { driveInput, pads } = holdFor(3000, true, 7);
  expect(driveInput.callNames.filter((name) => name !== "move")).toEqual(["press", "release"]);
  pads.receive([{ ...REST, timestamp: 8 }], true, 3016);
  pads.receive([{ ...RIGHT, timestamp: 9 }], true, 3032);
  expect(driveInput.callNames.at(-1)).toBe("press");
});

test.each([
  ["none says anything new", false, 7],
  ["the browser tells no time stamps", true, undefined],
])("a gamepad that is held still goes on where %s", (_, isOtherHeard, timestamp) => {
  const { driveInput } = holdFor(3000, isOtherHeard, timestamp);
  expect(driveInput.callNames).not.toContain("release");
});
