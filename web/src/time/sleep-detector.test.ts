import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import { SleepDetector } from "./sleep-detector";

test("time that passes on both clocks is not a sleep", () => {
  const timers = new FakeTimers();
  const detector = new SleepDetector(timers);
  timers.throttle(3_600_000);
  expect(detector.check()).toBe(false);
});

test("a clock that stood still is reported once", () => {
  const timers = new FakeTimers();
  const detector = new SleepDetector(timers);
  timers.suspend(501);
  expect([detector.check(), detector.check()]).toEqual([true, false]);
});

test("small corrections of the wall clock are not a sleep, however many", () => {
  const timers = new FakeTimers();
  const detector = new SleepDetector(timers);
  for (let n = 0; n < 10; n++) {
    timers.suspend(499);
    expect(detector.check()).toBe(false);
  }
});

test("a wall clock that is set back is not a sleep, and neither is the time after", () => {
  const timers = new FakeTimers();
  const detector = new SleepDetector(timers);
  timers.suspend(-3_600_000);
  expect([detector.check(), detector.check()]).toEqual([false, false]);
});
