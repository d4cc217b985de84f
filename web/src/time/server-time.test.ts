import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import { ServerTime } from "./server-time";

test("nothing was newest before the server told its time", () => {
  expect(new ServerTime(new FakeTimers()).newest).toBeNull();
});

test("what was told last counts, and grows old", () => {
  const timers = new FakeTimers();
  const time = new ServerTime(timers);
  time.receive(9000);
  timers.pass(30);
  time.receive(7000); // a clock that was set back
  timers.pass(20);
  expect(time.newest).toEqual({ serverMs: 7000, ageMs: 20 });
});

test("what is forgotten says nothing any more", () => {
  const time = new ServerTime(new FakeTimers());
  time.receive(9000);
  time.forget();
  expect(time.newest).toBeNull();
});
