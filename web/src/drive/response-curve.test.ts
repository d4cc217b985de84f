import fc from "fast-check";
import { expect, test } from "vitest";
import { dragReachPx, keySpeed, velocityFromDrag, velocityFromStick } from "./response-curve";
import { ZERO_VELOCITY } from "./velocity";

const pixels = fc.integer({ min: -2000, max: 2000 });

test("full speed is a third of a phone's width away, and never out of a wrist's reach", () => {
  expect(dragReachPx(390, 844)).toBe(130);
  expect(dragReachPx(844, 390)).toBe(130);
  expect(dragReachPx(1440, 900)).toBe(220);
  expect(dragReachPx(200, 200)).toBe(96);
});

test("dragging right turns right, dragging up turns up", () => {
  expect(velocityFromDrag(130, 0, 130)).toEqual({ pan: 1, tilt: 0 });
  expect(velocityFromDrag(0, -130, 130)).toEqual({ pan: 0, tilt: 1 });
  expect(velocityFromStick(-1, 0, 0.12)).toEqual({ pan: -1, tilt: 0 });
  expect(velocityFromStick(0, 1, 0.12)).toEqual({ pan: 0, tilt: -1 });
});

test("a trembling finger and a stick at rest give no velocity", () => {
  expect(velocityFromDrag(7, 0, 130)).toEqual(ZERO_VELOCITY);
  expect(velocityFromStick(0.1, -0.05, 0.12)).toEqual(ZERO_VELOCITY);
  expect(velocityFromDrag(Number.NaN, 0, 130)).toEqual(ZERO_VELOCITY);
});

test("half the distance is far less than half the speed", () => {
  expect(velocityFromDrag(65, 0, 130).pan).toBeLessThan(0.3);
  expect(velocityFromDrag(65, 0, 130).pan).toBeGreaterThan(0.1);
});

test("a nearly level drag snaps to the axis, a real diagonal does not", () => {
  expect(velocityFromDrag(100, -10, 130).tilt).toBe(0);
  const { pan, tilt } = velocityFromDrag(100, -100, 130);
  expect(pan).toBeCloseTo(Math.SQRT1_2, 2);
  expect(tilt).toBeCloseTo(Math.SQRT1_2, 2);
});

test("any drag is within full speed, turns towards the finger, and mirrors the opposite drag", () => {
  fc.assert(
    fc.property(pixels, pixels, (dx, dy) => {
      const { pan, tilt } = velocityFromDrag(dx, dy, 130);
      expect(Math.hypot(pan, tilt)).toBeLessThanOrEqual(1.001);
      expect(pan * dx).toBeGreaterThanOrEqual(0);
      expect(tilt * -dy).toBeGreaterThanOrEqual(0);
      const back = velocityFromDrag(-dx, -dy, 130);
      expect(back.pan).toBeCloseTo(-pan, 10);
      expect(back.tilt).toBeCloseTo(-tilt, 10);
    }),
  );
});

test("dragging further is never slower", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 300 }), (one, other) => {
      const [near, far] = one < other ? [one, other] : [other, one];
      expect(velocityFromDrag(far, 0, 130).pan).toBeGreaterThanOrEqual(velocityFromDrag(near, 0, 130).pan);
    }),
  );
});

test("a key starts slowly and ramps up to its maximum; Shift is full speed at once", () => {
  expect(keySpeed(0, false)).toBe(0.3);
  expect(keySpeed(400, false)).toBeCloseTo(0.475);
  expect(keySpeed(5000, false)).toBe(0.65);
  expect(keySpeed(0, true)).toBe(1);
});
