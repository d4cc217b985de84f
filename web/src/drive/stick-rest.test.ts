import fc from "fast-check";
import { expect, test } from "vitest";
import { type StickPosition, StickRest } from "./stick-rest";

/** Reads a stick sixty times a second at one place, from one time to another; returns what was last meant. */
function hold(stick: StickRest, position: StickPosition, fromMs: number, toMs: number): StickPosition {
  let meant = { x: 0, y: 0 };
  for (let ms = fromMs; ms <= toMs; ms += 16) {
    meant = stick.receive(position, ms);
  }
  return meant;
}

test("a stick that rests in its middle means what it shows", () => {
  const stick = new StickRest();
  hold(stick, { x: 0, y: 0 }, 0, 5000);
  expect(stick.receive({ x: 0.6, y: -1 }, 5016)).toEqual({ x: 0.6, y: -1 });
});

test("one that rests beside its middle creeps for two seconds, and then means nothing until it is moved", () => {
  const stick = new StickRest();
  expect(stick.receive({ x: 0.2, y: 0 }, 0).x).toBeCloseTo(0.2);
  expect(hold(stick, { x: 0.2, y: 0 }, 16, 2016).x).toBe(0);
  expect(stick.receive({ x: 0.6, y: 0 }, 2032).x).toBeCloseTo(0.5);
  expect(stick.receive({ x: 1, y: 0 }, 2048).x).toBe(1);
  expect(stick.receive({ x: -1, y: 0 }, 2064).x).toBe(-1);
});

test("a stick that is held at its rim goes on, however still it is", () => {
  const stick = new StickRest();
  expect(hold(stick, { x: 1, y: 0 }, 0, 60_000).x).toBe(1);
});

test("a thumb that trembles goes on", () => {
  const stick = new StickRest();
  for (let ms = 0; ms < 30_000; ms += 16) {
    expect(stick.receive({ x: 0.3 + (ms % 32 === 0 ? 0.03 : 0), y: 0 }, ms).x).toBeGreaterThan(0.29);
  }
});

test("a thumb that was taken for rest lets nothing turn the other way when it lets go", () => {
  const stick = new StickRest();
  hold(stick, { x: 0.4, y: 0 }, 0, 3000);
  expect(stick.receive({ x: 0, y: 0 }, 3016).x).toBe(0);
  expect(stick.receive({ x: 0.1, y: 0 }, 3032).x).toBe(0);
});

test("whatever was learnt, no axis is ever meant to be faster than it shows, nor the other way", () => {
  const axis = fc.double({ min: -1, max: 1, noNaN: true });
  const reading = fc.record({ x: axis, y: axis, ms: fc.integer({ min: 0, max: 4000 }) });
  fc.assert(
    fc.property(fc.array(reading), (readings) => {
      const stick = new StickRest();
      let nowMs = 0;
      for (const { x, y, ms } of readings) {
        nowMs += ms;
        stick.receive({ x, y }, nowMs);
        const meant = stick.receive({ x, y }, nowMs + 2000); // as if it rested there
        nowMs += 2000;
        for (const [value, asked] of [
          [x, meant.x],
          [y, meant.y],
        ] as const) {
          expect(Math.abs(asked)).toBeLessThanOrEqual(Math.abs(value));
          expect(asked * value).toBeGreaterThanOrEqual(0);
        }
      }
    }),
  );
});
