import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import { Meter, NO_FIGURES } from "./latency-meter";

test("nothing is said before the clocks are known", () => {
  const meter = new Meter(new FakeTimers());
  meter.receiveAck({ type: "ack", axis: "pan", seq: 1, clock: 0, written: 50 });
  meter.receivePicture(0, 50);
  expect(meter.figures()).toEqual(NO_FIGURES);
});

test("both delays are reckoned on one clock", () => {
  const timers = new FakeTimers(1000);
  const meter = new Meter(timers);
  meter.receiveAnswer(990, 70_995); // there and back 10 ms: the server is 70,000 ms ahead
  meter.receiveAck({ type: "ack", axis: "pan", seq: 1, clock: 980, written: 71_003 });
  meter.receivePicture(70_900, 931);
  expect(meter.figures()).toEqual({ commandMs: 23, pictureMs: 31, roundTripMs: 10 });
});

test("another server's clock is learned anew", () => {
  const meter = new Meter(new FakeTimers(1000));
  meter.receiveAnswer(990, 70_995);
  meter.receiveAck({ type: "ack", axis: "pan", seq: 1, clock: 980, written: 71_003 });
  meter.receivePicture(70_900, 931);
  meter.figures();
  meter.forgetClock();
  expect(meter.figures()).toEqual(NO_FIGURES);
  meter.receivePicture(70_900, 931);
  expect(meter.figures().pictureMs).toBeNull();
});

test("who lets go and then looks still finds how long commands took; a picture that stands has no age", () => {
  const timers = new FakeTimers(1000);
  const meter = new Meter(timers);
  meter.receiveAnswer(990, 70_995);
  meter.receiveAck({ type: "ack", axis: "pan", seq: 1, clock: 980, written: 71_003 });
  meter.receivePicture(70_900, 931);
  meter.figures();
  timers.advance(60_000);
  expect(meter.figures()).toMatchObject({ commandMs: 23, pictureMs: null });
  meter.receiveAck({ type: "ack", axis: "pan", seq: 2, clock: 60_980, written: 131_000 });
  expect(meter.figures().commandMs).toBe(20);
});
