import { expect, test } from "vitest";
import { velocity } from "../drive/velocity";
import { JoinError, type JoinFailure, type WhepEvents } from "../stage/whep";
import { lease, notice, state, welcome } from "../testing/examples";
import { FakeSocket } from "../testing/fake-socket";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { Visit } from "./visit";

const RIGHT = velocity(1, 0);

function setup({ joinFails = null as JoinFailure | null } = {}) {
  const timers = new FakeTimers();
  const sockets: FakeSocket[] = [];
  const joins: WhepEvents[] = [];
  const left: number[] = [];
  const whep = { fails: joinFails };
  const server = { endsSessions: true };
  const visit = new Visit({
    timers,
    random: () => 0,
    openSocket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    hasSession: async () => null,
    endSession: async () => server.endsSessions,
    join: async (events) => {
      if (whep.fails !== null) {
        throw new JoinError(whep.fails);
      }
      const number = joins.push(events);
      return { captureAnchor: { rtpTimestamp: 0, serverMs: 50_000 }, leave: () => left.push(number) };
    },
  });
  const socket = (): FakeSocket => {
    const newest = sockets.at(-1);
    if (newest === undefined) {
      throw new Error("no socket was opened");
    }
    return newest;
  };
  const greet = () => {
    socket().open();
    socket().deliver(welcome({ clock: timers.now(), server: timers.now() + 49_000 }));
    socket().deliver(lease("nobody"));
    socket().deliver(state());
  };
  const frame = (rtpTimestamp = 0) => visit.receiveFrame({ shownAtMs: timers.now(), rtpTimestamp });
  /** Lets time pass with everything in order: pictures come, and pings are answered. */
  const pass = (durationMs: number) => {
    for (let ms = 0; ms < durationMs; ms += 50) {
      timers.advance(50);
      frame();
      socket().deliver({ type: "pong", clock: timers.now(), server: timers.now() + 49_000 });
    }
  };
  const goIn = async () => {
    visit.join();
    greet();
    await flushPromises();
    frame();
  };
  const drive = async () => {
    await goIn();
    visit.driver.press("keys", RIGHT, timers.now());
    socket().deliver(lease("you", { epoch: 2 }));
  };
  return { timers, sockets, joins, left, visit, socket, greet, frame, pass, goIn, drive, whep, server };
}

test("nothing is asked of anyone before the tap", () => {
  const { timers, sockets, joins } = setup();
  timers.advance(60_000);
  expect(sockets).toHaveLength(0);
  expect(joins).toHaveLength(0);
});

test("one tap opens picture and channel at once, and tells how long the first picture took", async () => {
  const { visit, timers, greet, frame } = setup();
  visit.join();
  greet();
  await flushPromises();
  expect(visit.saying.value.topic).toBe("opening");
  timers.advance(120);
  frame();
  expect(visit.firstPictureMs.value).toBe(120);
  expect(visit.saying.value.topic).toBe("hint");
  expect(visit.house.value.head).toBe("PONS PT");
});

test("press, lease, drive, let go", async () => {
  const { visit, socket, drive, pass } = setup();
  await drive();
  pass(200);
  visit.driver.release("keys");
  const types = socket().sent.map(({ type }) => type);
  expect(types.filter((type) => type !== "ping")).toEqual([
    "hello",
    "lease.acquire",
    ...Array.from({ length: 5 }, () => "drive"),
    "release",
  ]);
  expect(visit.saying.value.topic).toBe("nothing");
});

test("a picture that freezes cuts the hold, and its return does not bring it back", async () => {
  const { visit, timers, socket, drive, frame } = setup();
  await drive();
  timers.advance(1200);
  expect(visit.saying.value.topic).toBe("picture_frozen");
  expect(socket().sent.at(-1)?.type).toBe("release");
  frame();
  const count = socket().sentOf("drive").length;
  timers.advance(300);
  expect(socket().sentOf("drive")).toHaveLength(count);
  expect(visit.saying.value).toMatchObject({ topic: "let_go", more: "Let go and press again." });
});

test("nobody drives without a picture, without a connection, or a head that is out of reach", async () => {
  const { visit, timers, socket, goIn, frame } = setup();
  const pressed = () => {
    visit.driver.press("keys", RIGHT, timers.now());
    const hold = visit.driver.hold.value;
    visit.driver.release("keys");
    return hold.kind === "cut" ? hold.reason : hold.kind;
  };
  expect(pressed()).toBe("no_picture");
  await goIn();
  socket().deliver(state({ link: "waiting" }, { link: "searching" }));
  expect(pressed()).toBe("out_of_reach");
  socket().deliver(state({ link: "waiting" }));
  socket().deliver(lease("other"));
  expect(pressed()).toBe("other_drives");
  socket().end();
  frame();
  expect(pressed()).toBe("offline");
});

test("a broken channel cuts the hold, forgets what it said, and comes back by itself", async () => {
  const { visit, timers, sockets, socket, drive, greet, frame } = setup();
  await drive();
  socket().end();
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "offline" });
  expect(visit.house.value.pan).toBeNull();
  expect(visit.saying.value.topic).toBe("reconnecting");
  timers.advance(250);
  frame();
  expect(sockets).toHaveLength(2);
  greet();
  visit.driver.release("keys");
  expect(visit.saying.value.topic).toBe("nothing");
});

test("a stop pressed while the home is out of reach is told so, and is the first word when it is back", async () => {
  const { visit, timers, socket, drive, greet, frame } = setup();
  await drive();
  socket().end();
  visit.driver.stop();
  expect(visit.saying.value.topic).toBe("stop_lost");
  timers.advance(250);
  frame();
  greet();
  expect(socket().sent.map(({ type }) => type)).toEqual(["hello", "stop", "ping"]);
  expect(visit.saying.value.topic).not.toBe("stop_lost");
  socket().deliver({ type: "pong", clock: timers.now(), server: timers.now() + 49_000 });
  expect(visit.driver.pendingStop.value).toBeNull();
});

test("a stop waits for no later attempt to reach the home, and presses in a row begin none anew", async () => {
  const { visit, timers, sockets, socket, goIn, greet } = setup();
  await goIn();
  for (let attempt = 0; attempt < 8; attempt++) {
    socket().end();
    timers.advance(attempt < 7 ? 8000 : 100);
  }
  const before = sockets.length;
  visit.driver.stop();
  visit.driver.stop();
  expect(sockets).toHaveLength(before + 1);
  greet();
  expect(socket().sent.map(({ type }) => type)).toEqual(["hello", "stop", "ping"]);
});

test("a stop that a dead socket has swallowed is said again on a new one while it counts", async () => {
  const { visit, timers, sockets, socket, goIn, greet } = setup();
  await goIn();
  visit.driver.stop();
  timers.advance(2500);
  expect(sockets).toHaveLength(2);
  greet();
  expect(socket().sentOf("stop")).toHaveLength(1);
  timers.advance(2500);
  greet();
  expect(socket().sentOf("stop")).toHaveLength(1);
  timers.advance(2501);
  greet();
  expect(socket().sentOf("stop")).toHaveLength(0);
});

test("a stop belongs to its visit: who leaves does not say it in the next", async () => {
  const { visit, socket, goIn } = setup();
  await goIn();
  socket().end();
  visit.driver.stop();
  visit.leave();
  await goIn();
  expect(socket().sentOf("stop")).toHaveLength(0);
});

test("silence while a hand is on the head cuts the hold before the connection is given up", async () => {
  const { visit, timers, drive, frame } = setup();
  await drive();
  for (let ms = 0; ms < 4000; ms += 50) {
    timers.advance(50);
    frame();
  }
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "too_late" });
  expect(visit.saying.value.topic).toBe("let_go");
});

test("who holds names times of the server's clock that are hardly old, from pongs and acks", async () => {
  const { timers, socket, drive, pass } = setup();
  await drive();
  pass(1000);
  const nowMs = timers.now() + 49_000;
  expect(socket().sentOf("drive").at(-1)?.heard).toBeGreaterThanOrEqual(nowMs - 100);
  expect(socket().sentOf("ping").length).toBeGreaterThanOrEqual(4);
  socket().deliver({ type: "ack", axis: "pan", seq: 1, clock: 0, written: nowMs + 7 });
  timers.advance(50);
  expect(socket().sentOf("drive").at(-1)?.heard).toBe(nowMs + 7);
});

test("a driver who is too far away is told how far", async () => {
  const { visit, socket, drive } = setup();
  await drive();
  const message = "the way here is too slow to steer: 1.4 s";
  socket().deliver({ type: "error", code: "too_slow", message, closing: false, hold: 1, delay: 1440 });
  expect(visit.saying.value).toMatchObject({
    topic: "let_go",
    words: "The connection home is too slow to steer: 1.4 s.",
    more: "Let go and press again.",
  });
});

test("after the server's clock jumped its times are asked for anew", async () => {
  const { visit, timers, socket, drive } = setup();
  await drive();
  socket().deliver(notice("clock_jumped", 1));
  visit.driver.release("keys");
  const before = socket().sentOf("drive").length;
  visit.driver.press("keys", RIGHT, timers.now());
  expect(socket().sentOf("drive")).toHaveLength(before);
  socket().deliver({ type: "pong", clock: timers.now(), server: 5 });
  timers.advance(16);
  expect(socket().sentOf("drive").at(-1)).toMatchObject({ hold: 2, heard: 5 });
});

test("after a sleep in which the page's clock stood still, a new socket is opened as soon as it is noticed", async () => {
  const { timers, sockets, socket, goIn, greet } = setup();
  await goIn();
  timers.suspend(30_000);
  timers.advance(500);
  expect(sockets).toHaveLength(2);
  expect(sockets[0]?.isClosed).toBe(true);
  greet();
  timers.advance(5000);
  expect(sockets).toHaveLength(2);
  expect(socket().sentOf("hello")).toHaveLength(1);
});

test("who presses right after such a sleep drives as soon as the new socket is there", async () => {
  const { visit, timers, sockets, socket, drive, greet } = setup();
  await drive();
  visit.driver.release("keys");
  timers.suspend(30_000);
  visit.driver.press("keys", RIGHT, timers.now());
  expect(sockets).toHaveLength(2);
  expect(visit.driver.hold.value.kind).toBe("live");
  greet();
  expect(socket().sentOf("lease.acquire")).toHaveLength(1);
  const server = timers.now() + 49_000;
  socket().deliver(lease("you", { epoch: 3 }));
  timers.advance(16);
  expect(socket().sentOf("drive")).toMatchObject([{ epoch: 3, hold: 2, heard: server }]);
});

test("where the new socket does not come, such a press is over", async () => {
  const { visit, timers, socket, drive } = setup();
  await drive();
  visit.driver.release("keys");
  timers.suspend(30_000);
  visit.driver.press("keys", RIGHT, timers.now());
  socket().end();
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "offline" });
});

test("who presses between the new socket's welcome and its news of the head drives as well", async () => {
  const { visit, timers, socket, drive } = setup();
  await drive();
  visit.driver.release("keys");
  timers.suspend(30_000);
  visit.receiveVisibility(true);
  socket().open();
  socket().deliver(welcome({ clock: timers.now(), server: timers.now() + 49_000 }));
  visit.driver.press("keys", RIGHT, timers.now());
  expect(visit.driver.hold.value.kind).toBe("live");
  socket().deliver(state());
  socket().deliver(lease("you", { epoch: 5 }));
  timers.advance(16);
  expect(socket().sentOf("drive")).toMatchObject([{ epoch: 5, pan: 1 }]);
});

test("a sleep before the visit opens nothing", () => {
  const { visit, timers, sockets } = setup();
  timers.suspend(30_000);
  visit.receiveVisibility(true);
  expect(sockets).toHaveLength(0);
});

test("a driver's lease is kept alive by pings, and given back after a minute's rest", async () => {
  const { visit, socket, drive, pass } = setup();
  await drive();
  visit.driver.release("keys");
  pass(2000);
  const before = socket().sentOf("ping").length;
  pass(20_000);
  expect(socket().sentOf("ping").length - before).toBe(66); // so that a press need not ask first
  pass(40_000);
  expect(socket().sentOf("lease.return")).toHaveLength(1);
});

test("a hidden page gives the lease back at once", async () => {
  const { visit, socket, drive } = setup();
  await drive();
  visit.driver.release("keys");
  visit.receiveVisibility(false);
  expect(socket().sent.at(-1)?.type).toBe("lease.return");
});

test("true delays are shown", async () => {
  const { visit, timers, socket, drive } = setup();
  await drive();
  const [sent] = socket().sentOf("drive");
  socket().deliver({
    type: "ack",
    axis: "pan",
    seq: 1,
    clock: sent?.clock ?? 0,
    written: (sent?.clock ?? 0) + 49_021,
  });
  visit.receiveFrame({ shownAtMs: timers.now(), rtpTimestamp: (timers.now() - 1000 - 33) * 90 });
  timers.advance(500);
  expect(visit.figures.value).toMatchObject({ commandMs: 21, pictureMs: 33 });
});

test("leaving gives everything back and goes to the first screen", async () => {
  const { visit, timers, sockets, socket, left, drive } = setup();
  await drive();
  visit.leave();
  timers.advance(60_000);
  expect(visit.isInside.value).toBe(false);
  expect(left).toEqual([1]);
  expect(socket().isClosed).toBe(true);
  expect(sockets).toHaveLength(1);
  expect(timers.pendingCount).toBe(0);
});

test("a page that goes away gives everything back, and comes in again if it is brought back", async () => {
  const { visit, sockets, socket, joins, left, goIn } = setup();
  await goIn();
  visit.receiveGone();
  expect(left).toEqual([1]);
  expect(socket().isClosed).toBe(true);
  visit.receiveBack();
  await flushPromises();
  expect(sockets).toHaveLength(2);
  expect(joins).toHaveLength(2);
});

test("a page that was never inside stays outside", () => {
  const { visit, sockets } = setup();
  visit.receiveGone();
  visit.receiveBack();
  expect(sockets).toHaveLength(0);
});

test("an ended visit ends both, without a word of reconnecting", async () => {
  const { visit, timers, sockets } = setup({ joinFails: "no_session" });
  visit.join();
  await flushPromises();
  timers.advance(60_000);
  expect(visit.saying.value.topic).toBe("ended");
  expect(sockets).toHaveLength(1);
});

test("a visit that the server ends gives the picture back too", async () => {
  const { visit, socket, left, goIn } = setup();
  await goIn();
  socket().end(4401);
  expect(visit.saying.value.topic).toBe("ended");
  expect(left).toEqual([1]);
});

test("a goodbye is offered to whoever has left, and said once the server has ended the session", async () => {
  const { visit, server, goIn } = setup();
  expect(visit.goodbye.value).toBe("none");
  await goIn();
  visit.leave();
  expect(visit.goodbye.value).toBe("possible");
  server.endsSessions = false;
  await visit.sayGoodbye();
  expect(visit.goodbye.value).toBe("failed");
  server.endsSessions = true;
  await visit.sayGoodbye();
  expect(visit.goodbye.value).toBe("done");
});

test("whoever comes in again while the goodbye is on its way is not sent off by its answer", async () => {
  const { visit, goIn } = setup();
  await goIn();
  visit.leave();
  const asked = visit.sayGoodbye();
  visit.join();
  await asked;
  expect(visit.goodbye.value).toBe("none");
});

test("a house that is full says so, and the visitor may ask again", async () => {
  const { visit, joins, whep } = setup({ joinFails: "full" });
  visit.join();
  await flushPromises();
  expect(visit.saying.value).toMatchObject({ topic: "full", action: "try_again" });
  whep.fails = null;
  visit.retryNow();
  await flushPromises();
  expect(joins).toHaveLength(1);
});

test("what the server says of a hold is told to the hand", async () => {
  const { visit, socket, drive } = setup();
  await drive();
  socket().deliver(notice("hold_too_long", 1));
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "too_long" });
  visit.driver.release("keys");
  visit.driver.press("keys", RIGHT, 5000);
  socket().deliver({ type: "error", code: "someone_else_drives", message: "", closing: false });
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "other_drives" });
});
