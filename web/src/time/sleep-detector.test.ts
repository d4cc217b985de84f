import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import { ClockGap } from "./sleep-detector";

test("time that passes on both clocks is no gap", () => {
  const timers = new FakeTimers();
  const gap = new ClockGap(timers);
  timers.sleep(3_600_000);
  expect(gap.look()).toBe(false);
});

test("a clock that stood still is noticed once", () => {
  const timers = new FakeTimers();
  const gap = new ClockGap(timers);
  timers.standStill(501);
  expect([gap.look(), gap.look()]).toEqual([true, false]);
});

test("what a wall clock is corrected by is no gap, however often", () => {
  const timers = new FakeTimers();
  const gap = new ClockGap(timers);
  for (let n = 0; n < 10; n++) {
    timers.standStill(499);
    expect(gap.look()).toBe(false);
  }
});

test("a wall clock that is set back is no gap, nor is the way from there", () => {
  const timers = new FakeTimers();
  const gap = new ClockGap(timers);
  timers.standStill(-3_600_000);
  expect([gap.look(), gap.look()]).toEqual([false, false]);
});
