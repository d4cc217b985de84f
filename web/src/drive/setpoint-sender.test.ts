import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import type { ServerTimestamp } from "../time/server-time";
import type { ClientMessage, Drive } from "../wire/messages";
import { cut, type Hold, move, NO_HOLD, press, release } from "./hold";
import { MIN_SEND_INTERVAL_MS, SetpointSender } from "./setpoint-sender";
import { velocity } from "./velocity";

interface SentMessage {
  readonly atMs: number;
  readonly message: ClientMessage;
}

function setup(epoch: number | null = 1) {
  const timers = new FakeTimers();
  const sent: SentMessage[] = [];
  const socket = { isOpen: true, isBackedUp: false };
  const server = {
    newestTime: { serverMs: 50_000, ageMs: 100 } as ServerTimestamp | null,
    pings: [] as number[],
  };
  const sender = new SetpointSender({
    timers,
    send: (message) => socket.isOpen && sent.push({ atMs: timers.now(), message }) > 0,
    isBackedUp: () => socket.isBackedUp,
    newestServerTime: () => server.newestTime,
    ping: () => server.pings.push(timers.now()),
  });
  sender.receiveEpoch(epoch);
  const drives = () =>
    sent.map(({ message }) => message).filter((message): message is Drive => message.type === "drive");
  return { timers, sent, socket, server, sender, drives };
}

const live = (atMs = 1000) => press(NO_HOLD, "keys", velocity(0.5, 0), atMs);

test("the first message leaves within the press itself", () => {
  const { sender, sent } = setup();
  sender.receiveHold(live());
  expect(sent).toEqual([
    {
      atMs: 1000,
      message: { type: "drive", epoch: 1, hold: 1, seq: 1, pan: 0.5, tilt: 0, clock: 1000, heard: 50_000 },
    },
  ]);
});

test("a held input is sent again every fifty milliseconds, as read then", () => {
  const { sender, timers, sent } = setup();
  sender.receiveHold(live());
  timers.advance(160);
  expect(sent.map(({ atMs }) => atMs)).toEqual([1000, 1050, 1100, 1150]);
  expect(sent.map(({ message }) => "clock" in message && message.clock)).toEqual([1000, 1050, 1100, 1150]);
});

test("the server decides how often setpoints are sent", () => {
  const { sender, timers, sent } = setup();
  sender.receiveResendInterval(20);
  sender.receiveHold(live());
  timers.advance(65);
  expect(sent).toHaveLength(4);
});

test("changes are sent at most sixty times a second, and the newest wins", () => {
  const { sender, timers, sent, drives } = setup();
  let hold = live();
  sender.receiveHold(hold);
  for (let n = 1; n <= 100; n++) {
    timers.advance(1);
    hold = move(hold, "keys", velocity(0.5 + n / 1000, 0), timers.now());
    sender.receiveHold(hold);
  }
  timers.advance(MIN_SEND_INTERVAL_MS);
  expect(sent.length).toBeLessThanOrEqual(1 + Math.ceil(116 / MIN_SEND_INTERVAL_MS));
  expect(drives().at(-1)?.pan).toBe(0.6);
});

test("a release is sent at once, and nothing of that hold after it", () => {
  const { sender, timers, sent } = setup();
  const hold = live();
  sender.receiveHold(hold);
  timers.advance(3);
  sender.receiveHold(release(hold, "keys"));
  timers.advance(1000);
  expect(sent.map(({ message }) => message)).toMatchObject([
    { type: "drive", seq: 1 },
    { type: "release", epoch: 1, hold: 1, seq: 2, clock: 1003 },
  ]);
  expect(timers.pendingCount).toBe(0);
});

test("nothing is sent without the lease; with it, whatever is true then", () => {
  const { sender, timers, sent } = setup(null);
  sender.receiveHold(live());
  timers.advance(200);
  expect(sent).toEqual([]);
  sender.receiveEpoch(7);
  expect(sent).toMatchObject([{ atMs: 1200, message: { type: "drive", epoch: 7, clock: 1200 } }]);
});

test("a hold that was never sent needs no release", () => {
  const { sender, sent } = setup(null);
  const hold = live();
  sender.receiveHold(hold);
  sender.receiveHold(release(hold, "keys"));
  expect(sent).toEqual([]);
});

test("a hold does not carry over into another lease", () => {
  const { sender, timers, sent } = setup(1);
  sender.receiveHold(live());
  sender.receiveEpoch(2);
  timers.advance(500);
  expect(sent).toHaveLength(1);
});

test("nothing is sent to a socket that is backed up, and the newest setpoint when it no longer is", () => {
  const { sender, timers, socket, sent, drives } = setup();
  const hold = live();
  sender.receiveHold(hold);
  socket.isBackedUp = true;
  timers.advance(300);
  sender.receiveHold(move(hold, "keys", velocity(-1, 0), timers.now()));
  timers.advance(300);
  expect(drives()).toHaveLength(1);
  socket.isBackedUp = false;
  timers.advance(MIN_SEND_INTERVAL_MS);
  expect(drives()).toHaveLength(2);
  expect(drives()[1]).toMatchObject({ pan: -1, clock: sent[1]?.atMs });
});

test("a release is sent even to a socket that is backed up", () => {
  const { sender, socket, sent } = setup();
  const hold = live();
  sender.receiveHold(hold);
  socket.isBackedUp = true;
  sender.receiveHold(release(hold, "keys"));
  expect(sent.at(-1)?.message.type).toBe("release");
});

test("each drive names the newest server time", () => {
  const { sender, timers, server, drives } = setup();
  sender.receiveHold(live());
  server.newestTime = { serverMs: 50_250, ageMs: 0 };
  timers.advance(50);
  expect(drives().map(({ heard }) => heard)).toEqual([50_000, 50_250]);
});

test("a press waits for a recent server time, and pings for one at once and repeatedly", () => {
  const { sender, timers, server, sent } = setup();
  server.newestTime = { serverMs: 50_000, ageMs: 401 };
  const hold = live();
  sender.receiveHold(hold);
  timers.advance(100);
  sender.receiveHold(move(hold, "keys", velocity(1, 0), timers.now()));
  timers.advance(500);
  expect(server.pings).toEqual([1000, 1250, 1500]);
  expect(sent).toEqual([]);
  server.newestTime = { serverMs: 50_600, ageMs: 0 };
  sender.receiveServerTime();
  expect(sent).toMatchObject([
    { atMs: 1600, message: { type: "drive", hold: 1, pan: 1, heard: 50_600, clock: 1600 } },
  ]);
});

test("a press pings for a server time while it waits for the lease", () => {
  const { sender, server, sent } = setup(null);
  server.newestTime = null;
  sender.receiveHold(live());
  expect(server.pings).toEqual([1000]);
  server.newestTime = { serverMs: 50_600, ageMs: 0 };
  sender.receiveServerTime();
  expect(sent).toEqual([]);
  sender.receiveEpoch(3);
  expect(sent).toHaveLength(1);
});

test("what may become a press asks for a server time if that would have to wait for one, but not again and again", () => {
  const { sender, timers, server } = setup();
  sender.prepare();
  expect(server.pings).toEqual([]);
  server.newestTime = { serverMs: 50_000, ageMs: 500 };
  sender.prepare();
  sender.prepare();
  expect(server.pings).toEqual([1000]);
  timers.advance(250);
  sender.prepare();
  expect(server.pings).toEqual([1000, 1250]);
});

test("how recent it must be depends on what the server allows", () => {
  const { sender, server, sent } = setup();
  sender.receiveMaxAge(300);
  server.newestTime = { serverMs: 50_000, ageMs: 121 };
  sender.receiveHold(live());
  expect(sent).toEqual([]);
});

test("a press that is released while it waits is never sent", () => {
  const { sender, server, timers, sent } = setup();
  server.newestTime = null;
  const hold = live();
  sender.receiveHold(hold);
  sender.receiveHold(release(hold, "keys"));
  server.newestTime = { serverMs: 50_600, ageMs: 0 };
  sender.receiveServerTime();
  timers.advance(1000);
  expect(sent).toEqual([]);
  expect(server.pings).toHaveLength(1);
});

test("a hold that has begun goes on sending without a recent server time: the server decides", () => {
  const { sender, server, timers, drives } = setup();
  sender.receiveHold(live());
  server.newestTime = { serverMs: 50_000, ageMs: 900 };
  timers.advance(100);
  expect(drives()).toHaveLength(3);
});

test("a release is sent even without a recent server time", () => {
  const { sender, server, sent } = setup();
  const hold = live();
  sender.receiveHold(hold);
  server.newestTime = null;
  sender.receiveHold(release(hold, "keys"));
  expect(sent.at(-1)?.message.type).toBe("release");
});

/** For the property below: when each hold was live, beside what was sent. */
class HoldHistory {
  readonly env = setup();
  readonly spans = new Map<number, { fromMs: number; toMs: number }>();
  hold: Hold = NO_HOLD;

  become(next: Hold): void {
    const nowMs = this.env.timers.now();
    const span = this.spans.get(this.hold.number);
    if (this.hold.kind === "live" && next.kind !== "live" && span !== undefined) {
      span.toMs = nowMs;
    }
    if (next.kind === "live" && this.hold.kind !== "live") {
      this.spans.set(next.number, { fromMs: nowMs, toMs: Number.POSITIVE_INFINITY });
    }
    this.hold = next;
    this.env.sender.receiveHold(next);
  }
}

type Step = (history: HoldHistory) => void;

const steps = fc.array<Step>(
  fc.oneof(
    fc.constant<Step>((w) => w.become(press(w.hold, "keys", velocity(0.3, 0), w.env.timers.now()))),
    fc.constant<Step>((w) => w.become(release(w.hold, "keys"))),
    fc.constant<Step>((w) => w.become(cut(w.hold, "stopped"))),
    fc
      .integer({ min: -1000, max: 1000 })
      .map<Step>((pan) => (w) => w.become(move(w.hold, "keys", velocity(pan / 1000, 0), w.env.timers.now()))),
    fc.integer({ min: 0, max: 120 }).map<Step>((ms) => (w) => w.env.timers.advance(ms)),
    fc.option(fc.nat(5)).map<Step>((epoch) => (w) => w.env.sender.receiveEpoch(epoch)),
    fc.boolean().map<Step>((is) => (w) => {
      w.env.socket.isBackedUp = is;
    }),
    fc.boolean().map<Step>((is) => (w) => {
      w.env.socket.isOpen = is;
    }),
  ),
  { maxLength: 80 },
);

test("over any history: only live holds drive, nothing follows a release, seq rises, at most sixty a second", () => {
  fc.assert(
    fc.property(steps, (someSteps) => {
      const history = new HoldHistory();
      for (const step of someSteps) {
        step(history);
      }
      let seq = 0;
      let lastDriveAtMs = Number.NEGATIVE_INFINITY;
      const released = new Set<number>();
      for (const { atMs, message } of history.env.sent) {
        if (message.type !== "drive" && message.type !== "release") {
          throw new Error(`a sender sends no ${message.type}`);
        }
        expect(message.seq).toBeGreaterThan(seq);
        seq = message.seq;
        expect(released.has(message.hold)).toBe(false);
        if (message.type === "release") {
          released.add(message.hold);
          continue;
        }
        const span = history.spans.get(message.hold);
        expect(atMs).toBeGreaterThanOrEqual(span?.fromMs ?? Number.NaN);
        expect(atMs).toBeLessThanOrEqual(span?.toMs ?? Number.NaN);
        expect(atMs - lastDriveAtMs).toBeGreaterThanOrEqual(MIN_SEND_INTERVAL_MS);
        lastDriveAtMs = atMs;
      }
    }),
    { numRuns: 1000 },
  );
});

test("over any history: a live hold under the lease is sent at least once every resend interval", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 40 }), (pauses) => {
      const { sender, timers, sent } = setup();
      let hold = live();
      sender.receiveHold(hold);
      pauses.forEach((ms, n) => {
        timers.advance(ms);
        hold = move(hold, "keys", velocity(n / 100, 0), timers.now());
        sender.receiveHold(hold);
      });
      const times = sent.map(({ atMs }) => atMs);
      times.slice(1).forEach((atMs, n) => {
        expect(atMs - (times[n] ?? 0)).toBeLessThanOrEqual(50);
      });
    }),
  );
});
