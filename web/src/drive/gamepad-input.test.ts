import { expect, test } from "vitest";
import { FakeHands } from "../testing/fake-hands";
import { type Pad, PadStick } from "./gamepad-input";

const pad = (axes: number[], pressed: number[] = []): Pad => ({
  index: 0,
  axes,
  buttons: Array.from({ length: 17 }, (_, button) => ({ pressed: pressed.includes(button) })),
});
const REST = pad([0.02, -0.01, 0, 0]);
const RIGHT = pad([1, 0, 0, 0]);

function stage() {
  const hands = new FakeHands();
  return { hands, stick: new PadStick(0, hands) };
}

test("leaving the centre is the press, coming back is letting go", () => {
  const { hands, stick } = stage();
  stick.receive(REST, 0);
  stick.receive(RIGHT, 16);
  stick.receive(pad([0, -1, 0, 0]), 32);
  stick.receive(REST, 48);
  stick.receive(REST, 64);
  expect(hands.deeds).toEqual([
    ["press", "gamepad:0", { pan: 1, tilt: 0 }],
    ["move", "gamepad:0", { pan: 0, tilt: 1 }],
    ["letGo", "gamepad:0"],
  ]);
});

test("a stick that leans when it is first seen is no press until it was at rest", () => {
  const { hands, stick } = stage();
  stick.receive(RIGHT, 0);
  expect(hands.verbs).toEqual([]);
  stick.receive(REST, 16);
  stick.receive(RIGHT, 32);
  expect(hands.verbs).toEqual(["press"]);
});

test("the right stick does as well as the left", () => {
  const { hands, stick } = stage();
  stick.receive(REST, 0);
  stick.receive(pad([0.02, 0, -1, 0]), 16);
  expect(hands.velocity).toEqual({ pan: -1, tilt: 0 });
});

test("the cross turns like keys, faster by and by", () => {
  const { hands, stick } = stage();
  stick.receive(REST, 0);
  stick.receive(pad([0, 0, 0, 0], [15, 12]), 16);
  expect(hands.velocity).toEqual({ pan: 0.212, tilt: 0.212 });
  stick.receive(pad([0, 0, 0, 0], [15]), 5000);
  expect(hands.velocity).toEqual({ pan: 0.65, tilt: 0 });
});

test("the second button stops, once for each press, and not because it was down before", () => {
  const { hands, stick } = stage();
  stick.receive(pad([0, 0], [1]), 0);
  stick.receive(REST, 16);
  stick.receive(pad([0, 0], [1]), 32);
  stick.receive(pad([0, 0], [1]), 48);
  expect(hands.verbs).toEqual(["stop"]);
});

test("a gamepad that is gone has let go", () => {
  const { hands, stick } = stage();
  stick.receive(REST, 0);
  stick.receive(RIGHT, 16);
  stick.receiveGone();
  stick.receiveGone();
  expect(hands.verbs).toEqual(["press", "letGo"]);
});

test("a gamepad with few axes and no buttons is read as far as it goes", () => {
  const { hands, stick } = stage();
  stick.receive({ index: 0, axes: [], buttons: [] }, 0);
  stick.receive({ index: 0, axes: [1], buttons: [] }, 16);
  expect(hands.velocity).toEqual({ pan: 1, tilt: 0 });
});
