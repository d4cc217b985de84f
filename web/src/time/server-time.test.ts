import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import { ServerTime } from "./server-time";

test("there is none before the server has sent its time", () => {
  expect(new ServerTime(new FakeTimers()).newest).toBeNull();
});

test("the time received last counts, and it ages", () => {
  const timers = new FakeTimers();
  const time = new ServerTime(timers);
  time.receive(9000);
  timers.advance(30);
  time.receive(7000); // a clock that was set back
  timers.advance(20);
  expect(time.newest).toEqual({ serverMs: 7000, ageMs: 20 });
});

test("after a reset there is none", () => {
  const time = new ServerTime(new FakeTimers());
  time.receive(9000);
  time.reset();
  expect(time.newest).toBeNull();
});
