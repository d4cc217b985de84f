import fc from "fast-check";
import { expect, test } from "vitest";
import { cut, cutAxis, type Hold, move, NO_HOLD, press, release, velocityOf } from "./hold";
import { velocity, ZERO_VELOCITY } from "./velocity";

const RIGHT = velocity(1, 0);
const UP = velocity(0, 1);

test("a press begins a hold, a move changes it, a release ends it", () => {
  const pressed = press(NO_HOLD, "keys", RIGHT, 10);
  expect(pressed).toMatchObject({ kind: "live", number: 1, velocity: RIGHT, readAtMs: 10 });
  const moved = move(pressed, "keys", UP, 20);
  expect(moved).toMatchObject({ kind: "live", number: 1, velocity: UP, readAtMs: 20 });
  expect(release(moved, "keys")).toEqual({ kind: "none", number: 1 });
});

test("while one source holds, a second can neither press, move nor release", () => {
  const pressed = press(NO_HOLD, "pointer:1", RIGHT, 10);
  expect(press(pressed, "pointer:2", UP, 20)).toBe(pressed);
  expect(move(pressed, "pointer:2", UP, 20)).toBe(pressed);
  expect(release(pressed, "pointer:2")).toBe(pressed);
});

test("a hold that was cut stays cut until its source is released", () => {
  const cutHold = cut(press(NO_HOLD, "keys", RIGHT, 10), "stopped");
  expect(cutHold).toEqual({ kind: "cut", number: 1, source: "keys", reason: "stopped" });
  expect(move(cutHold, "keys", UP, 20)).toBe(cutHold);
  expect(press(cutHold, "keys", UP, 20)).toBe(cutHold);
  expect(press(release(cutHold, "keys"), "keys", UP, 30)).toMatchObject({ kind: "live", number: 2 });
});

test("after a cut another source can press at once", () => {
  const cutHold = cut(press(NO_HOLD, "pointer:1", RIGHT, 10), "too_long");
  const fresh = press(cutHold, "keys", UP, 20);
  expect(fresh).toMatchObject({ kind: "live", number: 2, source: "keys" });
  expect(release(fresh, "pointer:1")).toBe(fresh);
});

test("only a live hold can be cut", () => {
  expect(cut(NO_HOLD, "stopped")).toBe(NO_HOLD);
  expect(cutAxis(NO_HOLD, "pan", "stopped")).toBe(NO_HOLD);
});

test("a diagonal hold that loses one axis goes on with the other", () => {
  const diagonal = press(NO_HOLD, "keys", velocity(0.5, 0.5), 10);
  const half = cutAxis(diagonal, "pan", "out_of_reach");
  expect(half).toMatchObject({ kind: "live", lostAxes: ["pan"] });
  expect(cutAxis(half, "tilt", "out_of_reach")).toMatchObject({ kind: "cut", reason: "out_of_reach" });
});

test("a hold that loses the only axis it moves is cut", () => {
  const right = press(NO_HOLD, "keys", RIGHT, 10);
  expect(cutAxis(right, "pan", "out_of_reach")).toMatchObject({ kind: "cut", reason: "out_of_reach" });
});

test("over any history: only a live press moves, numbers rise with presses, and an ended hold never returns", () => {
  const source = fc.constantFrom("pointer:1", "pointer:2", "keys", "gamepad:0");
  const step = fc.oneof(
    fc.record({ do: fc.constant("press" as const), source }),
    fc.record({ do: fc.constant("move" as const), source }),
    fc.record({ do: fc.constant("release" as const), source }),
    fc.record({ do: fc.constant("cut" as const), source }),
    fc.record({ do: fc.constant("cutAxis" as const), source }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let hold: Hold = NO_HOLD;
      const ended = new Set<number>();
      for (const { do: verb, source: by } of steps) {
        const before: Hold = hold;
        switch (verb) {
          case "press":
            hold = press(hold, by, RIGHT, 0);
            break;
          case "move":
            hold = move(hold, by, UP, 0);
            break;
          case "release":
            hold = release(hold, by);
            break;
          case "cut":
            hold = cut(hold, "stopped");
            break;
          case "cutAxis":
            hold = cutAxis(hold, "pan", "out_of_reach");
            break;
        }
        if (before.kind === "live" && (hold.kind !== "live" || hold.number !== before.number)) {
          ended.add(before.number);
        }
        expect(hold.number).toBeGreaterThanOrEqual(before.number);
        if (hold.kind === "live") {
          expect(ended.has(hold.number)).toBe(false);
          expect(before.kind === "live" || verb === "press").toBe(true);
        } else {
          expect(velocityOf(hold)).toEqual(ZERO_VELOCITY);
        }
      }
    }),
    { numRuns: 500 },
  );
});
