import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import type { ClientMessage } from "../wire/messages";
import { Handover } from "./handover";

function setup() {
  const timers = new FakeTimers();
  const sent: ClientMessage[] = [];
  const driver = { returned: 0 };
  const handover = new Handover({
    timers,
    driver: {
      returnLease: () => {
        driver.returned += 1;
      },
    },
    send: (message) => sent.push(message),
  });
  return { timers, sent, driver, handover };
}

test("asking, answering and giving each send one message", () => {
  const { handover, sent } = setup();
  handover.ask();
  handover.reply("ben-1", true);
  handover.reply("ben-1", false);
  handover.give("cem-1");
  expect(sent).toEqual([
    { type: "lease.ask" },
    { type: "lease.answer", asker: "ben-1", granted: true },
    { type: "lease.answer", asker: "ben-1", granted: false },
    { type: "lease.give", to: "cem-1" },
  ]);
});

test("an answer is shown for a while, and asking again removes it", () => {
  const { handover, timers } = setup();
  handover.receiveAnswer("denied");
  expect(handover.answer.value).toBe("denied");
  timers.advance(7999);
  expect(handover.answer.value).toBe("denied");
  timers.advance(1);
  expect(handover.answer.value).toBeNull();
  handover.receiveAnswer("unanswered");
  handover.ask();
  expect(handover.answer.value).toBeNull();
});

test("a second answer is shown for its full time", () => {
  const { handover, timers } = setup();
  handover.receiveAnswer("over");
  timers.advance(7000);
  handover.receiveAnswer("granted");
  timers.advance(7000);
  expect(handover.answer.value).toBe("granted");
});

test("without a connection nobody asks and nothing is answered", () => {
  const { handover } = setup();
  handover.receiveOffers({ asking: [{ asker: "b", name: "Ben", until: 1 }], watching: [] });
  handover.receiveAnswer("denied");
  handover.receiveDisconnected();
  expect(handover.offers.value).toEqual({ asking: [], watching: [] });
  expect(handover.answer.value).toBeNull();
});

test("who only watches returns the camera at once, and may drive again later", () => {
  const { handover, driver } = setup();
  handover.watchOnly(true);
  expect([handover.isWatchOnly.value, driver.returned]).toEqual([true, 1]);
  handover.watchOnly(false);
  expect([handover.isWatchOnly.value, driver.returned]).toEqual([false, 1]);
});
