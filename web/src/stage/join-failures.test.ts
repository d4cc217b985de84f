import { expect, test } from "vitest";
import { JoinFailures } from "./join-failures";

test("of what went wrong since the last attempt began, the most telling counts", () => {
  const failures = new JoinFailures();
  failures.receive("stream", "failed");
  failures.receive("direct", "blocked");
  expect(failures.worst).toBe("blocked");
  failures.reset();
  expect(failures.worst).toBe("failed");
});

test("a way that this browser cannot decode is remembered over attempts, until it is asked for", () => {
  const failures = new JoinFailures();
  failures.receive("direct", "no_codec");
  failures.reset();
  expect([failures.isUndecodable("direct"), failures.isUndecodable("stream")]).toEqual([true, false]);
  expect(failures.lacksCodec).toBe(true);
  failures.forget();
  expect([failures.isUndecodable("direct"), failures.lacksCodec]).toEqual([false, false]);
});
