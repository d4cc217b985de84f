import fc from "fast-check";
import { expect, test } from "vitest";
import { cut, cutAxis, type Hold, letGo, move, NO_HOLD, press, velocityOf } from "./hold";
import { STILL, velocity } from "./velocity";

const RIGHT = velocity(1, 0);
const UP = velocity(0, 1);

test("a press begins a hold, a move changes it, letting go ends it", () => {
  const pressed = press(NO_HOLD, "keys", RIGHT, 10);
  expect(pressed).toMatchObject({ kind: "live", number: 1, velocity: RIGHT, readAtMs: 10 });
  const moved = move(pressed, "keys", UP, 20);
  expect(moved).toMatchObject({ kind: "live", number: 1, velocity: UP, readAtMs: 20 });
  expect(letGo(moved, "keys")).toEqual({ kind: "none", number: 1 });
});

test("one hand is enough: a second one neither presses, moves nor lets go", () => {
  const pressed = press(NO_HOLD, "pointer:1", RIGHT, 10);
  expect(press(pressed, "pointer:2", UP, 20)).toBe(pressed);
  expect(move(pressed, "pointer:2", UP, 20)).toBe(pressed);
  expect(letGo(pressed, "pointer:2")).toBe(pressed);
});

test("a hold that was cut stays dead until the hand lets go", () => {
  const dead = cut(press(NO_HOLD, "keys", RIGHT, 10), "stopped");
  expect(dead).toEqual({ kind: "cut", number: 1, source: "keys", reason: "stopped" });
  expect(move(dead, "keys", UP, 20)).toBe(dead);
  expect(press(dead, "keys", UP, 20)).toBe(dead);
  expect(press(letGo(dead, "keys"), "keys", UP, 30)).toMatchObject({ kind: "live", number: 2 });
});

test("another hand is a fresh press after a cut", () => {
  const dead = cut(press(NO_HOLD, "pointer:1", RIGHT, 10), "too_long");
  const fresh = press(dead, "keys", UP, 20);
  expect(fresh).toMatchObject({ kind: "live", number: 2, source: "keys" });
  expect(letGo(fresh, "pointer:1")).toBe(fresh);
});

test("what is not live cannot be cut", () => {
  expect(cut(NO_HOLD, "stopped")).toBe(NO_HOLD);
  expect(cutAxis(NO_HOLD, "pan", "stopped")).toBe(NO_HOLD);
});

test("losing one axis leaves a diagonal hold its other one", () => {
  const diagonal = press(NO_HOLD, "keys", velocity(0.5, 0.5), 10);
  const half = cutAxis(diagonal, "pan", "out_of_reach");
  expect(half).toMatchObject({ kind: "live", lost: ["pan"] });
  expect(cutAxis(half, "tilt", "out_of_reach")).toMatchObject({ kind: "cut", reason: "out_of_reach" });
});

test("losing the only axis in use is the end of the hold", () => {
  const right = press(NO_HOLD, "keys", RIGHT, 10);
  expect(cutAxis(right, "pan", "out_of_reach")).toMatchObject({ kind: "cut", reason: "out_of_reach" });
});

test("over any history: moving needs a live press of its own, numbers rise with presses, and the dead stay dead", () => {
  const source = fc.constantFrom("pointer:1", "pointer:2", "keys", "gamepad:0");
  const step = fc.oneof(
    fc.record({ do: fc.constant("press" as const), source }),
    fc.record({ do: fc.constant("move" as const), source }),
    fc.record({ do: fc.constant("letGo" as const), source }),
    fc.record({ do: fc.constant("cut" as const), source }),
    fc.record({ do: fc.constant("cutAxis" as const), source }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let hold: Hold = NO_HOLD;
      const over = new Set<number>();
      for (const { do: verb, source: by } of steps) {
        const before: Hold = hold;
        switch (verb) {
          case "press":
            hold = press(hold, by, RIGHT, 0);
            break;
          case "move":
            hold = move(hold, by, UP, 0);
            break;
          case "letGo":
            hold = letGo(hold, by);
            break;
          case "cut":
            hold = cut(hold, "stopped");
            break;
          case "cutAxis":
            hold = cutAxis(hold, "pan", "out_of_reach");
            break;
        }
        if (before.kind === "live" && (hold.kind !== "live" || hold.number !== before.number)) {
          over.add(before.number);
        }
        expect(hold.number).toBeGreaterThanOrEqual(before.number);
        if (hold.kind === "live") {
          expect(over.has(hold.number)).toBe(false);
          expect(before.kind === "live" || verb === "press").toBe(true);
        } else {
          expect(velocityOf(hold)).toEqual(STILL);
        }
      }
    }),
    { numRuns: 500 },
  );
});
