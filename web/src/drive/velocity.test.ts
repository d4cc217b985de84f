import fc from "fast-check";
import { expect, test } from "vitest";
import { isSame, isStill, STILL, velocity } from "./velocity";

test("whatever goes in, both shares are within full speed and on a step of the head", () => {
  fc.assert(
    fc.property(fc.double(), fc.double(), (pan, tilt) => {
      for (const share of Object.values(velocity(pan, tilt))) {
        expect(Math.abs(share)).toBeLessThanOrEqual(1);
        expect(Math.round(share * 1000) / 1000).toBe(share);
        expect(Object.is(share, -0)).toBe(false);
      }
    }),
  );
});

test("what is too slow for the head is stillness", () => {
  expect(velocity(0.0004, -0.0004)).toEqual(STILL);
  expect(isStill(velocity(0.0004, Number.NaN))).toBe(true);
  expect(isStill(velocity(0.001, 0))).toBe(false);
});

test("two velocities are the same when both shares are", () => {
  expect(isSame(velocity(0.5, 0), velocity(0.5001, 0))).toBe(true);
  expect(isSame(velocity(0.5, 0), velocity(0.5, 0.1))).toBe(false);
});
