import { expect, test } from "vitest";
import { stepsOf, USUAL_WAYS, worstFailure } from "./way";

test("of several failures the most telling counts", () => {
  expect(worstFailure(["failed", "blocked"])).toBe("blocked");
  expect(worstFailure(["blocked", "no_picture", "failed"])).toBe("no_picture");
  expect(worstFailure(["no_picture", "full"])).toBe("full");
  expect(worstFailure(["blocked", "misrouted"])).toBe("misrouted");
  expect(worstFailure([])).toBe("failed");
});

test("a codec is missing only if every way says so: else another one may still work", () => {
  expect(worstFailure(["no_codec"])).toBe("no_codec");
  expect(worstFailure(["no_codec", "no_codec"])).toBe("no_codec");
  expect(worstFailure(["no_codec", "failed"])).toBe("failed");
});

test("neighbours race, and Amazon IVS is tried alone", () => {
  expect(stepsOf(USUAL_WAYS)).toEqual([["direct", "stream"]]);
  expect(stepsOf(["direct", "stream", "ivs"])).toEqual([["direct", "stream"], ["ivs"]]);
  expect(stepsOf(["ivs", "stream", "direct"])).toEqual([["ivs"], ["stream", "direct"]]);
  expect(stepsOf(["direct", "ivs", "stream"])).toEqual([["direct"], ["ivs"], ["stream"]]);
  expect(stepsOf([])).toEqual([]);
});
