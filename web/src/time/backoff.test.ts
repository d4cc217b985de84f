import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs, RECONNECT_BACKOFF } from "./backoff";

test("the first wait is short, later ones grow up to the maximum", () => {
  const waits = [0, 1, 2, 3, 50].map((attempt) => backoffMs(attempt, 0));
  expect(waits[0]).toBe(RECONNECT_BACKOFF.firstMs);
  expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
  expect(waits[4]).toBe(RECONNECT_BACKOFF.maxMs);
});

test("jitter shortens a wait by at most half", () => {
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
