import { expect, test } from "vitest";
import { welcome } from "../testing/examples";
import { FakeSocket } from "../testing/fake-socket";
import { FakeTimers, settled } from "../testing/fake-timers";
import type { ServerMessage } from "../wire/messages";
import { stop } from "../wire/outgoing";
import { Channel } from "./channel";

function setup({ isWelcome = null as boolean | null } = {}) {
  const timers = new FakeTimers();
  const sockets: FakeSocket[] = [];
  const heard: ServerMessage[] = [];
  const channel = new Channel({
    timers,
    random: () => 0,
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    isWelcome: async () => isWelcome,
    receive: (message) => heard.push(message),
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
    newest().say(welcome());
  };
  return { timers, sockets, heard, channel, newest, open };
}

const pong = { type: "pong", clock: 0, server: 0 } as const;

test("hello is the first word, and the channel is open with the welcome", () => {
  const { channel, newest, heard } = setup();
  channel.open();
  expect(channel.state.value.kind).toBe("connecting");
  newest().open();
  expect(newest().sent).toEqual([{ type: "hello", clock: 1000 }]);
  expect(channel.send(stop())).toBe(false);
  newest().say(welcome());
  expect(channel.state.value.kind).toBe("open");
  expect(channel.send(stop())).toBe(true);
  expect(heard).toHaveLength(1);
});

test("a sign of life may be asked for at once, but only of an open socket", () => {
  const { channel, newest, open } = setup();
  channel.pingNow();
  open();
  const before = newest().sentOf("ping").length;
  channel.pingNow();
  expect(newest().sentOf("ping")).toHaveLength(before + 1);
});

test("pings come quickly at first, then at the pace that is asked for", () => {
  const { timers, channel, newest, open } = setup();
  open();
  channel.setPace(2000);
  for (let ms = 0; ms < 1400; ms += 50) {
    timers.pass(50);
    newest().say(pong);
  }
  expect(newest().sentOf("ping")).toHaveLength(4);
  timers.pass(1999);
  newest().say(pong);
  timers.pass(2000);
  expect(newest().sentOf("ping").length).toBeLessThanOrEqual(6);
});

test("the first pings are never slower than the pace that is asked for", () => {
  const { timers, channel, newest, open } = setup();
  open();
  channel.setPace(250);
  for (let ms = 0; ms < 950; ms += 50) {
    timers.pass(50);
    newest().say(pong);
  }
  expect(newest().sentOf("ping")).toHaveLength(5); // after 50, 200, 450, 700, 950
});

test("a new socket takes the place of the present one at once, and another's only where there is one", () => {
  const { sockets, channel, newest, open } = setup();
  channel.renew();
  expect(sockets).toHaveLength(0);
  open();
  channel.renew();
  expect(sockets).toHaveLength(2);
  expect(sockets[0]?.isClosed).toBe(true);
  expect(channel.state.value).toEqual({ kind: "connecting", attempt: 0 });
  newest().end();
  expect(channel.state.value.kind).toBe("waiting");
  channel.renew();
  expect(sockets).toHaveLength(3);
  newest().open();
  newest().say(welcome());
  channel.close();
  channel.renew();
  expect(sockets).toHaveLength(3);
});

test("a change of pace counts from now", () => {
  const { timers, channel, newest, open } = setup();
  open();
  timers.pass(1400);
  newest().say(pong);
  channel.setPace(1000);
  timers.pass(1000);
  expect(newest().sentOf("ping")).toHaveLength(5);
});

test("a connection that broke is made again, later each time, and sooner again after a good one", () => {
  const { timers, sockets, channel, newest, open } = setup();
  open();
  newest().end();
  expect(channel.state.value).toEqual({ kind: "waiting", attempt: 0 });
  timers.pass(250);
  expect(sockets).toHaveLength(2);
  newest().end();
  timers.pass(449);
  expect(sockets).toHaveLength(2);
  timers.pass(1);
  expect(sockets).toHaveLength(3);
  newest().open();
  newest().say(welcome());
  for (let ms = 0; ms < 10_001; ms += 100) {
    timers.pass(100);
    newest().say(pong);
  }
  newest().end();
  expect(channel.state.value).toEqual({ kind: "waiting", attempt: 0 });
});

test("a half-open connection is noticed by its silence", () => {
  const { timers, channel, newest, open } = setup();
  open();
  timers.pass(50);
  expect(channel.silenceMs).toBe(0);
  timers.pass(2500);
  expect(channel.silenceMs).toBe(2500);
  timers.pass(3500);
  expect(channel.state.value.kind).toBe("waiting");
  expect(newest().isClosed).toBe(true);
});

test("any word ends the silence", () => {
  const { timers, channel, newest, open } = setup();
  open();
  timers.pass(3000);
  newest().say(pong);
  expect(channel.silenceMs).toBe(0);
  timers.pass(3000);
  expect(channel.state.value.kind).toBe("open");
});

test("a server that does not welcome us is left", () => {
  const { timers, channel, newest } = setup();
  channel.open();
  newest().open();
  timers.pass(5000);
  expect(channel.state.value.kind).toBe("waiting");
});

test("the code of an ended session ends the channel for good", () => {
  const { timers, sockets, channel, newest, open } = setup();
  open();
  newest().end(4401, "You have left in another window.");
  timers.pass(60_000);
  expect(channel.state.value).toEqual({ kind: "ended", words: "You have left in another window." });
  expect(sockets).toHaveLength(1);
});

test("a door that stays shut is asked whether we are still welcome", async () => {
  const { timers, sockets, channel, newest } = setup({ isWelcome: false });
  channel.open();
  newest().end();
  await settled();
  expect(channel.state.value.kind).toBe("ended");
  timers.pass(60_000);
  expect(sockets).toHaveLength(1);
});

test.each([true, null])("a server that answers %s to that is tried again", async (isWelcome) => {
  const { timers, sockets, channel, newest } = setup({ isWelcome });
  channel.open();
  newest().end();
  await settled();
  timers.pass(250);
  expect(sockets).toHaveLength(2);
});

test("closing says nothing more, and an answer that comes too late changes nothing", async () => {
  const { timers, sockets, channel, newest, open } = setup({ isWelcome: false });
  open();
  const first = newest();
  channel.close();
  expect(first.isClosed).toBe(true);
  first.say(pong);
  first.end();
  await settled();
  timers.pass(60_000);
  expect(channel.state.value.kind).toBe("closed");
  expect(sockets).toHaveLength(1);
  expect(timers.waiting).toBe(0);
});

test("with the network back there is no more waiting", () => {
  const { sockets, channel, newest, open } = setup();
  open();
  newest().end();
  channel.retryNow();
  expect(sockets).toHaveLength(2);
  channel.retryNow();
  expect(sockets).toHaveLength(2);
});

test("what the browser still holds tells that the network takes none", () => {
  const { channel, newest, open } = setup();
  open();
  expect(channel.isBackedUp()).toBe(false);
  newest().bufferedAmount = 5000;
  expect(channel.isBackedUp()).toBe(true);
});

test("nonsense is passed over", () => {
  const { channel, newest, heard, open } = setup();
  open();
  newest().sayText("{");
  newest().sayText(new ArrayBuffer(4));
  expect(heard).toHaveLength(1);
  expect(channel.state.value.kind).toBe("open");
});
