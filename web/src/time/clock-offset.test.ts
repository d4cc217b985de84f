import fc from "fast-check";
import { expect, test } from "vitest";
import { ClockOffset } from "./clock-offset";

test("nothing is known before the first pong", () => {
  const offset = new ClockOffset();
  expect(offset.offsetMs).toBeNull();
  expect(offset.roundTripMs).toBeNull();
});

test("the quickest round trip decides", () => {
  const offset = new ClockOffset();
  offset.receivePong(0, 1000, 200); // slow: somewhere in 200 ms
  offset.receivePong(300, 1202, 304); // quick
  offset.receivePong(400, 1500, 600); // slow again
  expect(offset.offsetMs).toBe(900);
  expect(offset.roundTripMs).toBe(4);
});

test("old samples expire, so that drift is followed", () => {
  const offset = new ClockOffset();
  offset.receivePong(0, 500, 1);
  for (let n = 1; n <= 30; n++) {
    expect(offset.offsetMs).toBe(499.5);
    offset.receivePong(n * 1000, n * 1000 + 700 + 5, n * 1000 + 10);
  }
  expect(offset.offsetMs).toBe(700);
});

test("a page that pings rarely keeps samples for more than half a minute", () => {
  const offset = new ClockOffset();
  offset.receivePong(0, 500, 1);
  for (let n = 1; n <= 15; n++) {
    offset.receivePong(n * 20_000, n * 20_000 + 505, n * 20_000 + 10);
  }
  expect(offset.roundTripMs).toBe(1);
});

test("a pong that was received before its ping was sent is ignored", () => {
  const offset = new ClockOffset();
  offset.receivePong(100, 500, 50);
  offset.receivePong(Number.NaN, 500, 50);
  expect(offset.offsetMs).toBeNull();
});

test("the error is never more than half the quickest round trip", () => {
  const path = fc.record({ there: fc.nat(400), back: fc.nat(400) });
  fc.assert(
    fc.property(
      fc.integer({ min: -1e6, max: 1e6 }),
      fc.array(path, { minLength: 1, maxLength: 16 }),
      (truth, paths) => {
        const offset = new ClockOffset();
        paths.forEach(({ there, back }, n) => {
          const sent = n * 1000;
          offset.receivePong(sent, sent + there + truth, sent + there + back);
        });
        const quickest = Math.min(...paths.map(({ there, back }) => there + back));
        expect(Math.abs((offset.offsetMs ?? Number.NaN) - truth)).toBeLessThanOrEqual(quickest / 2 + 1e-6);
      },
    ),
  );
});
