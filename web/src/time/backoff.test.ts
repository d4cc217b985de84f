import fc from "fast-check";
import { expect, test } from "vitest";
import { backoff_ms, RECONNECT } from "./backoff";

test("the first wait is short, later ones grow and end at the longest", () => {
  const waits = [0, 1, 2, 3, 50].map((attempt) => backoff_ms(attempt, 0));
  expect(waits[0]).toBe(RECONNECT.first_ms);
  expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
  expect(waits[4]).toBe(RECONNECT.longest_ms);
});

test("chance takes at most half of a wait away", () => {
  fc.assert(
    fc.property(
      fc.nat(2000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, random) => {
        const wait_ms = backoff_ms(attempt, random);
        expect(wait_ms).toBeGreaterThan(0);
        expect(wait_ms).toBeLessThanOrEqual(backoff_ms(attempt, 0));
        expect(wait_ms).toBeGreaterThanOrEqual(backoff_ms(attempt, 0) / 2);
      },
    ),
  );
});
