import { expect, test } from "vitest";
import { browserTimers } from "./timers";

test("an alarm rings once, and a cancelled one never", async () => {
  const rung: string[] = [];
  browserTimers.after(0, () => rung.push("cancelled"))();
  await new Promise<void>((resolve) => {
    browserTimers.after(0, () => {
      rung.push("rung");
      resolve();
    });
  });
  expect(rung).toEqual(["rung"]);
});

test("the clock is the one of event time stamps", () => {
  const before = performance.now();
  expect(browserTimers.now()).toBeGreaterThanOrEqual(before);
});
