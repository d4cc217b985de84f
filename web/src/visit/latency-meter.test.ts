import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import { LatencyMeter, NO_LATENCIES } from "./latency-meter";

test("there are no latencies before the clock offset is known", () => {
  const latencyMeter = new LatencyMeter(new FakeTimers());
  latencyMeter.receiveAck({ type: "ack", axis: "pan", seq: 1, clock: 0, written: 50 });
  latencyMeter.receiveFrameTimes(0, 50);
  expect(latencyMeter.latencies()).toEqual(NO_LATENCIES);
});

test("both latencies are calculated on one clock", () => {
  const timers = new FakeTimers(1000);
  const latencyMeter = new LatencyMeter(timers);
  latencyMeter.receivePong(990, 70_995); // there and back 10 ms: the server is 70,000 ms ahead
  latencyMeter.receiveAck({ type: "ack", axis: "pan", seq: 1, clock: 980, written: 71_003 });
  latencyMeter.receiveFrameTimes(70_900, 931);
  expect(latencyMeter.latencies()).toEqual({ commandMs: 23, pictureMs: 31, roundTripMs: 10 });
});

test("after a reset the clock offset is measured again", () => {
  const latencyMeter = new LatencyMeter(new FakeTimers(1000));
  latencyMeter.receivePong(990, 70_995);
  latencyMeter.receiveAck({ type: "ack", axis: "pan", seq: 1, clock: 980, written: 71_003 });
  latencyMeter.receiveFrameTimes(70_900, 931);
  latencyMeter.latencies();
  latencyMeter.reset();
  expect(latencyMeter.latencies()).toEqual(NO_LATENCIES);
  latencyMeter.receiveFrameTimes(70_900, 931);
  expect(latencyMeter.latencies().pictureMs).toBeNull();
});

test("the command latency stays after the hold ends; without frames there is no picture latency", () => {
  const timers = new FakeTimers(1000);
  const latencyMeter = new LatencyMeter(timers);
  latencyMeter.receivePong(990, 70_995);
  latencyMeter.receiveAck({ type: "ack", axis: "pan", seq: 1, clock: 980, written: 71_003 });
  latencyMeter.receiveFrameTimes(70_900, 931);
  latencyMeter.latencies();
  timers.advance(60_000);
  expect(latencyMeter.latencies()).toMatchObject({ commandMs: 23, pictureMs: null });
  latencyMeter.receiveAck({ type: "ack", axis: "pan", seq: 2, clock: 60_980, written: 131_000 });
  expect(latencyMeter.latencies().commandMs).toBe(20);
});
