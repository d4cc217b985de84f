import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs, RECONNECT } from "./backoff";

test("the first wait is short, later ones grow and end at the longest", () => {
  const waits = [0, 1, 2, 3, 50].map((attempt) => backoffMs(attempt, 0));
  expect(waits[0]).toBe(RECONNECT.firstMs);
  expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
  expect(waits[4]).toBe(RECONNECT.maxMs);
});

test("chance takes at most half of a wait away", () => {
  fc.assert(
    fc.property(
      fc.nat(2000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, random) => {
        const waitMs = backoffMs(attempt, random);
        expect(waitMs).toBeGreaterThan(0);
        expect(waitMs).toBeLessThanOrEqual(backoffMs(attempt, 0));
        expect(waitMs).toBeGreaterThanOrEqual(backoffMs(attempt, 0) / 2);
      },
    ),
  );
});
