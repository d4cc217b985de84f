import { expect, test } from "vitest";
import { welcome } from "../testing/examples";
import { FakeSocket } from "../testing/fake-socket";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import type { ServerMessage } from "../wire/messages";
import { stop } from "../wire/outgoing";
import { Channel } from "./channel";

function setup({ hasSession = null as boolean | null } = {}) {
  const timers = new FakeTimers();
  const sockets: FakeSocket[] = [];
  const received: ServerMessage[] = [];
  const channel = new Channel({
    timers,
    random: () => 0,
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    hasSession: async () => hasSession,
    receive: (message) => received.push(message),
  });
  const newest = () => {
    const socket = sockets.at(-1);
    if (socket === undefined) {
      throw new Error("no socket was opened");
    }
    return socket;
  };
  const open = () => {
    channel.open();
    newest().open();
    newest().deliver(welcome());
  };
  return { timers, sockets, received, channel, newest, open };
}

const pong = { type: "pong", clock: 0, server: 0 } as const;

test("hello is the first message, and the welcome opens the channel", () => {
  const { channel, newest, received } = setup();
  channel.open();
  expect(channel.state.value.kind).toBe("connecting");
  newest().open();
  expect(newest().sent).toEqual([{ type: "hello", clock: 1000 }]);
  expect(channel.send(stop())).toBe(false);
  newest().deliver(welcome());
  expect(channel.state.value.kind).toBe("open");
  expect(channel.send(stop())).toBe(true);
  expect(received).toHaveLength(1);
});

test("a hidden page connects once more when its connection is lost, and then sleeps until it is shown", () => {
  const { timers, sockets, channel, newest, open } = setup();
  open();
  channel.receiveVisibility(false);
  newest().end();
  timers.advance(1000);
  newest().open();
  newest().deliver(welcome());
  expect(channel.state.value.kind).toBe("open");
  newest().end();
  timers.advance(3_600_000);
  expect(sockets).toHaveLength(2);
  expect(channel.state.value.kind).toBe("waiting");
  channel.receiveVisibility(true);
  channel.retryNow();
  expect(sockets).toHaveLength(3);
  newest().end();
  timers.advance(60_000);
  expect(sockets.length).toBeGreaterThan(3);
});

test("pingNow pings at once, but only on an open socket", () => {
  const { channel, newest, open } = setup();
  channel.pingNow();
  open();
  const before = newest().sentOf("ping").length;
  channel.pingNow();
  expect(newest().sentOf("ping")).toHaveLength(before + 1);
});

test("pings are frequent at first, then follow the interval that was set", () => {
  const { timers, channel, newest, open } = setup();
  open();
  channel.setPingInterval(2000);
  for (let ms = 0; ms < 1400; ms += 50) {
    timers.advance(50);
    newest().deliver(pong);
  }
  expect(newest().sentOf("ping")).toHaveLength(4);
  timers.advance(1999);
  newest().deliver(pong);
  timers.advance(2000);
  expect(newest().sentOf("ping").length).toBeLessThanOrEqual(6);
});

test("the first pings are never slower than the interval that was set", () => {
  const { timers, channel, newest, open } = setup();
  open();
  channel.setPingInterval(250);
  for (let ms = 0; ms < 950; ms += 50) {
    timers.advance(50);
    newest().deliver(pong);
  }
  expect(newest().sentOf("ping")).toHaveLength(5); // after 50, 200, 450, 700, 950
});

test("reconnect replaces the socket at once, and does nothing on a closed channel", () => {
  const { sockets, channel, newest, open } = setup();
  channel.reconnect();
  expect(sockets).toHaveLength(0);
  open();
  channel.reconnect();
  expect(sockets).toHaveLength(2);
  expect(sockets[0]?.isClosed).toBe(true);
  expect(channel.state.value).toEqual({ kind: "connecting", attempt: 0 });
  newest().end();
  expect(channel.state.value.kind).toBe("waiting");
  channel.reconnect();
  expect(sockets).toHaveLength(3);
  newest().open();
  newest().deliver(welcome());
  channel.close();
  channel.reconnect();
  expect(sockets).toHaveLength(3);
});

test("a new ping interval counts from now", () => {
  const { timers, channel, newest, open } = setup();
  open();
  timers.advance(1400);
  newest().deliver(pong);
  channel.setPingInterval(1000);
  timers.advance(1000);
  expect(newest().sentOf("ping")).toHaveLength(5);
});

test("it reconnects with growing waits, and with short ones again after a stable connection", () => {
  const { timers, sockets, channel, newest, open } = setup();
  open();
  newest().end();
  expect(channel.state.value).toEqual({ kind: "waiting", attempt: 0 });
  timers.advance(250);
  expect(sockets).toHaveLength(2);
  newest().end();
  timers.advance(449);
  expect(sockets).toHaveLength(2);
  timers.advance(1);
  expect(sockets).toHaveLength(3);
  newest().open();
  newest().deliver(welcome());
  for (let ms = 0; ms < 10_001; ms += 100) {
    timers.advance(100);
    newest().deliver(pong);
  }
  newest().end();
  expect(channel.state.value).toEqual({ kind: "waiting", attempt: 0 });
});

test("a half-open connection is noticed when pings go unanswered", () => {
  const { timers, channel, newest, open } = setup();
  open();
  timers.advance(50);
  expect(channel.silenceMs).toBe(0);
  timers.advance(2500);
  expect(channel.silenceMs).toBe(2500);
  timers.advance(3500);
  expect(channel.state.value.kind).toBe("waiting");
  expect(newest().isClosed).toBe(true);
});

test("any message ends the silence", () => {
  const { timers, channel, newest, open } = setup();
  open();
  timers.advance(3000);
  newest().deliver(pong);
  expect(channel.silenceMs).toBe(0);
  timers.advance(3000);
  expect(channel.state.value.kind).toBe("open");
});

test("it retries when no welcome comes", () => {
  const { timers, channel, newest } = setup();
  channel.open();
  newest().open();
  timers.advance(5000);
  expect(channel.state.value.kind).toBe("waiting");
});

test("the close code of an ended session ends the channel for good", () => {
  const { timers, sockets, channel, newest, open } = setup();
  open();
  newest().end(4401, "left");
  timers.advance(60_000);
  expect(channel.state.value).toEqual({ kind: "ended", reason: "left" });
  expect(sockets).toHaveLength(1);
});

test("a socket that does not open leads to a check of the session, which may have ended", async () => {
  const { timers, sockets, channel, newest } = setup({ hasSession: false });
  channel.open();
  newest().end();
  await flushPromises();
  expect(channel.state.value.kind).toBe("ended");
  timers.advance(60_000);
  expect(sockets).toHaveLength(1);
});

test.each([true, null])("it reconnects when that check says %s", async (hasSession) => {
  const { timers, sockets, channel, newest } = setup({ hasSession });
  channel.open();
  newest().end();
  await flushPromises();
  timers.advance(250);
  expect(sockets).toHaveLength(2);
});

test("closing sends nothing more, and a late result of the check changes nothing", async () => {
  const { timers, sockets, channel, newest, open } = setup({ hasSession: false });
  open();
  const first = newest();
  channel.close();
  expect(first.isClosed).toBe(true);
  first.deliver(pong);
  first.end();
  await flushPromises();
  timers.advance(60_000);
  expect(channel.state.value.kind).toBe("closed");
  expect(sockets).toHaveLength(1);
  expect(timers.pendingCount).toBe(0);
});

test("retryNow ends the wait", () => {
  const { sockets, channel, newest, open } = setup();
  open();
  newest().end();
  channel.retryNow();
  expect(sockets).toHaveLength(2);
  channel.retryNow();
  expect(sockets).toHaveLength(2);
});

test("a full send buffer means that the network is stalled", () => {
  const { channel, newest, open } = setup();
  open();
  expect(channel.isBackedUp()).toBe(false);
  newest().bufferedAmount = 5000;
  expect(channel.isBackedUp()).toBe(true);
});

test("invalid messages are ignored", () => {
  const { channel, newest, received, open } = setup();
  open();
  newest().deliverData("{");
  newest().deliverData(new ArrayBuffer(4));
  expect(received).toHaveLength(1);
  expect(channel.state.value.kind).toBe("open");
});
