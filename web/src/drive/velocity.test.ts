import fc from "fast-check";
import { expect, test } from "vitest";
import { isEqual, isZero, velocity, ZERO_VELOCITY } from "./velocity";

test("both axes are always within full speed and rounded to the head's resolution", () => {
  fc.assert(
    fc.property(fc.double(), fc.double(), (pan, tilt) => {
      for (const fraction of Object.values(velocity(pan, tilt))) {
        expect(Math.abs(fraction)).toBeLessThanOrEqual(1);
        expect(Math.round(fraction * 1000) / 1000).toBe(fraction);
        expect(Object.is(fraction, -0)).toBe(false);
      }
    }),
  );
});

test("what is too slow for the head is zero", () => {
  expect(velocity(0.0004, -0.0004)).toEqual(ZERO_VELOCITY);
  expect(isZero(velocity(0.0004, Number.NaN))).toBe(true);
  expect(isZero(velocity(0.001, 0))).toBe(false);
});

test("two velocities are equal when both axes are", () => {
  expect(isEqual(velocity(0.5, 0), velocity(0.5001, 0))).toBe(true);
  expect(isEqual(velocity(0.5, 0), velocity(0.5, 0.1))).toBe(false);
});
