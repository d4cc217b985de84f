import { expect, test } from "vitest";
import { velocity } from "../drive/velocity";
import { Player } from "../stage/player";
import type { JoinFailure } from "../stage/way";
import { JoinError, type WhepEvents } from "../stage/whep";
import { lease, notice, state, welcome } from "../testing/examples";
import { FakeSocket } from "../testing/fake-socket";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { FakeVideo } from "../testing/fake-video";
import { NO_VOICE, SILENT_PORTS } from "../testing/voice";
import { t } from "../words/words";
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
    newView: () => "view",
    joinStream: null,
    streamLack: "decoder",
    player: new Player(new FakeVideo(), timers),
    ...SILENT_PORTS,
    requestFrame: () => {},
    joinDirect: async (_view, events) => {
      if (whep.fails !== null) {
        throw new JoinError(whep.fails);
      }
      const number = joins.push(events);
      const captureAnchor = { rtpTimestamp: 0, serverMs: 50_000 };
      return { captureAnchor, voice: NO_VOICE, leave: () => left.push(number) };
    },
  });
  const socket = (): FakeSocket => {
    const newest = sockets.at(-1);
    if (newest === undefined) {
      throw new Error("no socket was opened");
    }
    return newest;
  };
  const acceptSocket = () => {
    socket().open();
    socket().deliver(welcome({ clock: timers.now(), server: timers.now() + 49_000 }));
    socket().deliver(lease("nobody"));
    socket().deliver(state());
  };
  const frame = (rtpTimestamp = 0) => visit.receiveFrame({ shownAtMs: timers.now(), rtpTimestamp });
  /** Lets time pass with everything in order: frames arrive, and pings are answered. */
  const passTime = (durationMs: number) => {
    for (let ms = 0; ms < durationMs; ms += 50) {
      timers.advance(50);
      frame();
      socket().deliver({ type: "pong", clock: timers.now(), server: timers.now() + 49_000 });
    }
  };
  const join = async () => {
    visit.join();
    acceptSocket();
    await flushPromises();
    frame();
  };
  const drive = async () => {
    await join();
    visit.driver.press("keys", RIGHT, timers.now());
    socket().deliver(lease("you", { epoch: 2 }));
  };
  return {
    timers,
    sockets,
    joins,
    left,
    visit,
    socket,
    acceptSocket,
    frame,
    passTime,
    join,
    drive,
    whep,
    server,
  };
}

test("nothing is requested before the visitor joins", () => {
  const { timers, sockets, joins } = setup();
  timers.advance(60_000);
  expect(sockets).toHaveLength(0);
  expect(joins).toHaveLength(0);
});

test("joining opens the picture and the channel at once, and measures the time to the first picture", async () => {
  const { visit, timers, acceptSocket, frame } = setup();
  visit.join();
  acceptSocket();
  await flushPromises();
  expect(visit.statusMessage.value.topic).toBe("opening");
  timers.advance(120);
  frame();
  expect(visit.firstPictureMs.value).toBe(120);
  expect(visit.statusMessage.value.topic).toBe("hint");
  expect(visit.serverState.value.headName).toBe("PONS PT");
});

test("press, lease, drive, release", async () => {
  const { visit, socket, drive, passTime } = setup();
  await drive();
  passTime(200);
  visit.driver.release("keys");
  const types = socket().sent.map(({ type }) => type);
  expect(types.filter((type) => type !== "ping")).toEqual([
    "hello",
    "lease.acquire",
    ...Array.from({ length: 5 }, () => "drive"),
    "release",
  ]);
  expect(visit.statusMessage.value.topic).toBe("nothing");
});

test("a frozen picture cuts the hold, and its return does not revive it", async () => {
  const { visit, timers, socket, drive, frame } = setup();
  await drive();
  timers.advance(1200);
  expect(visit.statusMessage.value.topic).toBe("picture_frozen");
  expect(socket().sent.at(-1)?.type).toBe("release");
  frame();
  const count = socket().sentOf("drive").length;
  timers.advance(300);
  expect(socket().sentOf("drive")).toHaveLength(count);
  expect(visit.statusMessage.value).toMatchObject({ topic: "hold_cut", detail: "Let go and press again." });
});

test("nobody can drive without a picture, a connection, the lease and a head within reach", async () => {
  const { visit, timers, socket, join, frame } = setup();
  const pressed = () => {
    visit.driver.press("keys", RIGHT, timers.now());
    const hold = visit.driver.hold.value;
    visit.driver.release("keys");
    return hold.kind === "cut" ? hold.reason : hold.kind;
  };
  expect(pressed()).toBe("no_picture");
  await join();
  socket().deliver(state({ link: "waiting" }, { link: "searching" }));
  expect(pressed()).toBe("out_of_reach");
  socket().deliver(state({ link: "waiting" }));
  socket().deliver(lease("other"));
  expect(pressed()).toBe("other_drives");
  socket().end();
  frame();
  expect(pressed()).toBe("offline");
});

test("a broken channel cuts the hold, forgets the server's state, and reconnects", async () => {
  const { visit, timers, sockets, socket, drive, acceptSocket, frame } = setup();
  await drive();
  socket().end();
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "offline" });
  expect(visit.serverState.value.pan).toBeNull();
  expect(visit.statusMessage.value.topic).toBe("reconnecting");
  timers.advance(250);
  frame();
  expect(sockets).toHaveLength(2);
  acceptSocket();
  visit.driver.release("keys");
  expect(visit.statusMessage.value.topic).toBe("nothing");
});

test("a stop pressed without a connection is shown as lost, and is sent first after reconnecting", async () => {
  const { visit, timers, socket, drive, acceptSocket, frame } = setup();
  await drive();
  socket().end();
  visit.driver.stop();
  expect(visit.statusMessage.value.topic).toBe("stop_lost");
  timers.advance(250);
  frame();
  acceptSocket();
  expect(socket().sent.map(({ type }) => type)).toEqual(["hello", "stop", "ping"]);
  expect(visit.statusMessage.value.topic).not.toBe("stop_lost");
  socket().deliver({ type: "pong", clock: timers.now(), server: timers.now() + 49_000 });
  expect(visit.driver.pendingStop.value).toBeNull();
});

test("a stop reconnects at once, not after the backoff, and repeated stops do not restart the attempt", async () => {
  const { visit, timers, sockets, socket, join, acceptSocket } = setup();
  await join();
  for (let attempt = 0; attempt < 8; attempt++) {
    socket().end();
    timers.advance(attempt < 7 ? 8000 : 100);
  }
  const before = sockets.length;
  visit.driver.stop();
  visit.driver.stop();
  expect(sockets).toHaveLength(before + 1);
  acceptSocket();
  expect(socket().sent.map(({ type }) => type)).toEqual(["hello", "stop", "ping"]);
});

test("a stop that was sent on a dead socket is sent again on a new one, for five seconds", async () => {
  const { visit, timers, sockets, socket, join, acceptSocket } = setup();
  await join();
  visit.driver.stop();
  timers.advance(2500);
  expect(sockets).toHaveLength(2);
  acceptSocket();
  expect(socket().sentOf("stop")).toHaveLength(1);
  timers.advance(2500);
  acceptSocket();
  expect(socket().sentOf("stop")).toHaveLength(1);
  timers.advance(2501);
  acceptSocket();
  expect(socket().sentOf("stop")).toHaveLength(0);
});

test("a stop is not carried over into the next visit", async () => {
  const { visit, socket, join } = setup();
  await join();
  socket().end();
  visit.driver.stop();
  visit.leave();
  await join();
  expect(socket().sentOf("stop")).toHaveLength(0);
});

test("silence cuts a hold before the connection counts as dead", async () => {
  const { visit, timers, drive, frame } = setup();
  await drive();
  for (let ms = 0; ms < 4000; ms += 50) {
    timers.advance(50);
    frame();
  }
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "too_late" });
  expect(visit.statusMessage.value.topic).toBe("hold_cut");
});

test("a hold names recent server times, from pongs and acks", async () => {
  const { timers, socket, drive, passTime } = setup();
  await drive();
  passTime(1000);
  const nowMs = timers.now() + 49_000;
  expect(socket().sentOf("drive").at(-1)?.heard).toBeGreaterThanOrEqual(nowMs - 100);
  expect(socket().sentOf("ping").length).toBeGreaterThanOrEqual(4);
  socket().deliver({ type: "ack", axis: "pan", seq: 1, clock: 0, written: nowMs + 7 });
  timers.advance(50);
  expect(socket().sentOf("drive").at(-1)?.heard).toBe(nowMs + 7);
});

test("a driver whose connection is too slow is told the delay", async () => {
  const { visit, socket, drive } = setup();
  await drive();
  const message = "the way here is too slow to steer: 1.4 s";
  socket().deliver({ type: "error", code: "too_slow", message, closing: false, hold: 1, delay: 1440 });
  expect(visit.statusMessage.value).toMatchObject({
    topic: "hold_cut",
    text: "The connection is too slow to turn the camera (1.4 s behind).",
    detail: "Let go and press again.",
  });
});

test("after the server's clock jumped, a new server time is requested", async () => {
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

test("a sleep in which the page's clock stood still opens a new socket once it is noticed", async () => {
  const { timers, sockets, socket, join, acceptSocket } = setup();
  await join();
  timers.suspend(30_000);
  timers.advance(500);
  expect(sockets).toHaveLength(2);
  expect(sockets[0]?.isClosed).toBe(true);
  acceptSocket();
  timers.advance(5000);
  expect(sockets).toHaveLength(2);
  expect(socket().sentOf("hello")).toHaveLength(1);
});

test("a press right after such a sleep drives as soon as the new socket is open", async () => {
  const { visit, timers, sockets, socket, drive, acceptSocket } = setup();
  await drive();
  visit.driver.release("keys");
  timers.suspend(30_000);
  visit.driver.press("keys", RIGHT, timers.now());
  expect(sockets).toHaveLength(2);
  expect(visit.driver.hold.value.kind).toBe("live");
  acceptSocket();
  expect(socket().sentOf("lease.acquire")).toHaveLength(1);
  const server = timers.now() + 49_000;
  socket().deliver(lease("you", { epoch: 3 }));
  timers.advance(16);
  expect(socket().sentOf("drive")).toMatchObject([{ epoch: 3, hold: 2, heard: server }]);
});

test("if the new socket fails, such a press is cut", async () => {
  const { visit, timers, socket, drive } = setup();
  await drive();
  visit.driver.release("keys");
  timers.suspend(30_000);
  visit.driver.press("keys", RIGHT, timers.now());
  socket().end();
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "offline" });
});

test("a press between the new socket's welcome and its first state drives as well", async () => {
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

test("a sleep before joining opens nothing", () => {
  const { visit, timers, sockets } = setup();
  timers.suspend(30_000);
  visit.receiveVisibility(true);
  expect(sockets).toHaveLength(0);
});

test("pings keep a driver's lease, which is returned after an idle minute", async () => {
  const { visit, socket, drive, passTime } = setup();
  await drive();
  visit.driver.release("keys");
  passTime(2000);
  const before = socket().sentOf("ping").length;
  passTime(20_000);
  expect(socket().sentOf("ping").length - before).toBe(66); // so that a press need not ask first
  passTime(40_000);
  expect(socket().sentOf("lease.return")).toHaveLength(1);
});

test("a hidden page returns the lease at once", async () => {
  const { visit, socket, drive } = setup();
  await drive();
  visit.driver.release("keys");
  visit.receiveVisibility(false);
  expect(socket().sent.at(-1)?.type).toBe("lease.return");
});

test("latencies are measured", async () => {
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
  expect(visit.latencies.value).toMatchObject({ commandMs: 21, pictureMs: 33 });
});

test("leaving closes everything", async () => {
  const { visit, timers, sockets, socket, left, drive } = setup();
  await drive();
  visit.leave();
  timers.advance(60_000);
  expect(visit.isJoined.value).toBe(false);
  expect(left).toEqual([1]);
  expect(socket().isClosed).toBe(true);
  expect(sockets).toHaveLength(1);
  expect(timers.pendingCount).toBe(0);
});

test("a page that is hidden for good closes everything, and joins again if it is restored", async () => {
  const { visit, sockets, socket, joins, left, join } = setup();
  await join();
  visit.receivePageHide();
  expect(left).toEqual([1]);
  expect(socket().isClosed).toBe(true);
  visit.receivePageShow();
  await flushPromises();
  expect(sockets).toHaveLength(2);
  expect(joins).toHaveLength(2);
});

test("a page that had not joined does not join when it is restored", () => {
  const { visit, sockets } = setup();
  visit.receivePageHide();
  visit.receivePageShow();
  expect(sockets).toHaveLength(0);
});

test("an ended session closes both connections, with no message about reconnecting", async () => {
  const { visit, timers, sockets } = setup({ joinFails: "no_session" });
  visit.join();
  await flushPromises();
  timers.advance(60_000);
  expect(visit.statusMessage.value.topic).toBe("ended");
  expect(visit.isOver.value).toBe(true);
  expect(sockets).toHaveLength(1);
});

test("where the picture ends first, the socket still says why the visit has ended", async () => {
  const { visit, socket } = setup({ joinFails: "no_session" });
  visit.join();
  await flushPromises();
  const unknown = visit.statusMessage.value.text;
  expect(visit.isOver.value).toBe(false);
  socket().end(4401, "left");
  expect(visit.statusMessage.value).toMatchObject({ topic: "ended", text: t("ended.left") });
  expect(visit.statusMessage.value.text).not.toBe(unknown);
  expect(visit.isOver.value).toBe(true);
});

test("a session that the server ends closes the picture too", async () => {
  const { visit, socket, left, join } = setup();
  await join();
  socket().end(4401);
  expect(visit.statusMessage.value.topic).toBe("ended");
  expect(left).toEqual([1]);
});

test("ending the visit is available after leaving, and done once the server has ended the session", async () => {
  const { visit, server, join } = setup();
  expect(visit.endVisitState.value).toBe("unavailable");
  await join();
  visit.leave();
  expect(visit.endVisitState.value).toBe("available");
  server.endsSessions = false;
  await visit.endVisit();
  expect(visit.endVisitState.value).toBe("failed");
  server.endsSessions = true;
  await visit.endVisit();
  expect(visit.endVisitState.value).toBe("done");
});

test("joining again while the visit is being ended ignores the outcome", async () => {
  const { visit, join } = setup();
  await join();
  visit.leave();
  const ending = visit.endVisit();
  visit.join();
  await ending;
  expect(visit.endVisitState.value).toBe("unavailable");
});

test("too many viewers is reported, and the visitor may retry", async () => {
  const { visit, joins, whep } = setup({ joinFails: "full" });
  visit.join();
  await flushPromises();
  expect(visit.statusMessage.value).toMatchObject({ topic: "full", action: "try_again" });
  whep.fails = null;
  visit.retryNow();
  await flushPromises();
  expect(joins).toHaveLength(1);
});

test("notices and errors about a hold reach the driver", async () => {
  const { visit, socket, drive } = setup();
  await drive();
  socket().deliver(notice("hold_too_long", 1));
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "too_long" });
  visit.driver.release("keys");
  visit.driver.press("keys", RIGHT, 5000);
  socket().deliver({ type: "error", code: "someone_else_drives", message: "", closing: false });
  expect(visit.driver.hold.value).toMatchObject({ kind: "cut", reason: "other_drives" });
});

test("the time until a lost driver's lease is free counts down by the server's clock", async () => {
  const { visit, timers, socket, join, passTime } = setup();
  await join();
  socket().deliver(lease("other", { driver: "Grandma", free_at: timers.now() + 49_000 + 10_000 }));
  expect(visit.statusMessage.value.detail).toContain("10 seconds");
  passTime(2500);
  expect(visit.statusMessage.value.detail).toContain("8 seconds");
  socket().deliver(lease("nobody"));
  expect(visit.statusMessage.value.topic).not.toBe("other_drives");
});
