import { expect, test } from "vitest";
import { worstFailure } from "./way";

test("of several failures the most telling counts", () => {
  expect(worstFailure(["failed", "blocked"])).toBe("blocked");
  expect(worstFailure(["blocked", "no_picture", "failed"])).toBe("no_picture");
  expect(worstFailure(["no_picture", "full"])).toBe("full");
  expect(worstFailure([])).toBe("failed");
});
