import { expect, test } from "vitest";
import { FakeHands } from "../testing/fake-drive-input";
import { type Pad, PadStick, Pads } from "./gamepad-input";

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

test("a gamepad is no hand in a window without focus: no press, and no stop", () => {
  const hands = new FakeHands();
  const pads = new Pads(hands);
  for (const [step, reading] of [REST, RIGHT, REST, pad([0, 0], [1])].entries()) {
    pads.receive([reading], false, step * 16);
  }
  expect(hands.verbs).toEqual([]);
});

test("a stick that is held as the window gets its focus was not pressed here until it was let go", () => {
  const hands = new FakeHands();
  const pads = new Pads(hands);
  pads.receive([REST], true, 0);
  pads.receive([REST], false, 16);
  pads.receive([RIGHT], false, 32);
  pads.receive([RIGHT], true, 48);
  pads.receive([pad([1, 0, 0, 0], [1])], true, 64);
  expect(hands.verbs).toEqual(["stop"]); // a button that was seen up before
  pads.receive([REST], true, 80);
  pads.receive([RIGHT], true, 96);
  expect(hands.verbs).toEqual(["stop", "press"]);
});

test("a window that loses its focus lets the stick go, and is not fooled by the stick that stays", () => {
  const hands = new FakeHands();
  const pads = new Pads(hands);
  pads.receive([REST], true, 0);
  pads.receive([RIGHT], true, 16);
  pads.receive([RIGHT], false, 32);
  pads.receive([RIGHT], true, 48);
  expect(hands.verbs).toEqual(["press", "letGo"]);
});

test("one gamepad that is unplugged lets go, and the other goes on", () => {
  const hands = new FakeHands();
  const pads = new Pads(hands);
  const second = { ...REST, index: 1 };
  pads.receive([REST, second], true, 0);
  pads.receive([RIGHT, second], true, 16);
  pads.receive([second], true, 32);
  pads.receive([{ ...RIGHT, index: 1 }], true, 48);
  expect(hands.deeds.map(([verb, source]) => [verb, source])).toEqual([
    ["press", "gamepad:0"],
    ["letGo", "gamepad:0"],
    ["press", "gamepad:1"],
  ]);
});
