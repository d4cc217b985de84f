import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import { Latency } from "./latency-window";

test("an empty window says nothing", () => {
  expect(new Latency(new FakeTimers()).summary()).toBeNull();
});

test("median and 95th percentile of what came", () => {
  const latency = new Latency(new FakeTimers());
  for (let delay = 1; delay <= 100; delay++) {
    latency.add(delay);
  }
  expect(latency.summary()).toEqual({ medianMs: 51, p95Ms: 96, count: 100 });
});

test("what is older than five seconds no longer counts", () => {
  const timers = new FakeTimers();
  const latency = new Latency(timers);
  latency.add(900);
  timers.pass(4000);
  latency.add(10);
  timers.pass(1001);
  expect(latency.summary()).toEqual({ medianMs: 10, p95Ms: 10, count: 1 });
});

test("the clocks' own error never shows as a negative delay, nor a broken number at all", () => {
  const latency = new Latency(new FakeTimers());
  latency.add(-2);
  latency.add(Number.NaN);
  expect(latency.summary()).toEqual({ medianMs: 0, p95Ms: 0, count: 1 });
});

test("memory is bounded", () => {
  const latency = new Latency(new FakeTimers());
  for (let n = 0; n < 1000; n++) {
    latency.add(n);
  }
  expect(latency.summary()?.count).toBe(300);
});
