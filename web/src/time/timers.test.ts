import { expect, test } from "vitest";
import { browserTimers } from "./timers";

test("a timer fires once, and a cancelled one never", async () => {
  const fired: string[] = [];
  browserTimers.after(0, () => fired.push("cancelled"))();
  await new Promise<void>((resolve) => {
    browserTimers.after(0, () => {
      fired.push("fired");
      resolve();
    });
  });
  expect(fired).toEqual(["fired"]);
});

test("the clock is that of event time stamps", () => {
  const before = performance.now();
  expect(browserTimers.now()).toBeGreaterThanOrEqual(before);
});
