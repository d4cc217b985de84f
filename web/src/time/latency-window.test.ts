import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import { LatencyWindow } from "./latency-window";

test("an empty window has no summary", () => {
  expect(new LatencyWindow(new FakeTimers()).summary()).toBeNull();
});

test("the median and 95th percentile of all samples", () => {
  const latency = new LatencyWindow(new FakeTimers());
  for (let delay = 1; delay <= 100; delay++) {
    latency.add(delay);
  }
  expect(latency.summary()).toEqual({ medianMs: 51, p95Ms: 96, count: 100 });
});

test("samples older than five seconds no longer count", () => {
  const timers = new FakeTimers();
  const latency = new LatencyWindow(timers);
  latency.add(900);
  timers.advance(4000);
  latency.add(10);
  timers.advance(1001);
  expect(latency.summary()).toEqual({ medianMs: 10, p95Ms: 10, count: 1 });
});

test("a negative delay counts as zero, and NaN is ignored", () => {
  const latency = new LatencyWindow(new FakeTimers());
  latency.add(-2);
  latency.add(Number.NaN);
  expect(latency.summary()).toEqual({ medianMs: 0, p95Ms: 0, count: 1 });
});

test("memory is bounded", () => {
  const latency = new LatencyWindow(new FakeTimers());
  for (let n = 0; n < 1000; n++) {
    latency.add(n);
  }
  expect(latency.summary()?.count).toBe(300);
});
