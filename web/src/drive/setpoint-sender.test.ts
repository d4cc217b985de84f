import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeTimers } from "../testing/fake-timers";
import type { Heard } from "../time/server-time";
import type { ClientMessage, Drive } from "../wire/messages";
import { cut, type Hold, letGo, move, NO_HOLD, press } from "./hold";
import { LEAST_GAP_MS, Sender } from "./setpoint-sender";
import { velocity } from "./velocity";

interface Said {
  readonly atMs: number;
  readonly message: ClientMessage;
}

function stage(epoch: number | null = 1) {
  const timers = new FakeTimers();
  const said: Said[] = [];
  const socket = { isOpen: true, isBackedUp: false };
  const server = { heard: { serverMs: 50_000, ageMs: 100 } as Heard | null, pings: [] as number[] };
  const sender = new Sender({
    timers,
    send: (message) => socket.isOpen && said.push({ atMs: timers.now(), message }) > 0,
    isBackedUp: () => socket.isBackedUp,
    heard: () => server.heard,
    ping: () => server.pings.push(timers.now()),
  });
  sender.receiveEpoch(epoch);
  const drives = () =>
    said.map(({ message }) => message).filter((message): message is Drive => message.type === "drive");
  return { timers, said, socket, server, sender, drives };
}

const live = (atMs = 1000) => press(NO_HOLD, "keys", velocity(0.5, 0), atMs);

test("the first message leaves within the press itself", () => {
  const { sender, said } = stage();
  sender.receiveHold(live());
  expect(said).toEqual([
    {
      atMs: 1000,
      message: { type: "drive", epoch: 1, hold: 1, seq: 1, pan: 0.5, tilt: 0, clock: 1000, heard: 50_000 },
    },
  ]);
});

test("a held hand is said again every fifty milliseconds, as read then", () => {
  const { sender, timers, said } = stage();
  sender.receiveHold(live());
  timers.pass(160);
  expect(said.map(({ atMs }) => atMs)).toEqual([1000, 1050, 1100, 1150]);
  expect(said.map(({ message }) => "clock" in message && message.clock)).toEqual([1000, 1050, 1100, 1150]);
});

test("the server decides how often", () => {
  const { sender, timers, said } = stage();
  sender.receiveResend(20);
  sender.receiveHold(live());
  timers.pass(65);
  expect(said).toHaveLength(4);
});

test("changes leave at most sixty times a second, the newest of them", () => {
  const { sender, timers, said, drives } = stage();
  let hold = live();
  sender.receiveHold(hold);
  for (let n = 1; n <= 100; n++) {
    timers.pass(1);
    hold = move(hold, "keys", velocity(0.5 + n / 1000, 0), timers.now());
    sender.receiveHold(hold);
  }
  timers.pass(LEAST_GAP_MS);
  expect(said.length).toBeLessThanOrEqual(1 + Math.ceil(116 / LEAST_GAP_MS));
  expect(drives().at(-1)?.pan).toBe(0.6);
});

test("letting go is said at once, and nothing of that hold after it", () => {
  const { sender, timers, said } = stage();
  const hold = live();
  sender.receiveHold(hold);
  timers.pass(3);
  sender.receiveHold(letGo(hold, "keys"));
  timers.pass(1000);
  expect(said.map(({ message }) => message)).toMatchObject([
    { type: "drive", seq: 1 },
    { type: "release", epoch: 1, hold: 1, seq: 2, clock: 1003 },
  ]);
  expect(timers.waiting).toBe(0);
});

test("without the lease nothing is said; with it, what is true then", () => {
  const { sender, timers, said } = stage(null);
  sender.receiveHold(live());
  timers.pass(200);
  expect(said).toEqual([]);
  sender.receiveEpoch(7);
  expect(said).toMatchObject([{ atMs: 1200, message: { type: "drive", epoch: 7, clock: 1200 } }]);
});

test("a hold that never reached the server needs no release", () => {
  const { sender, said } = stage(null);
  const hold = live();
  sender.receiveHold(hold);
  sender.receiveHold(letGo(hold, "keys"));
  expect(said).toEqual([]);
});

test("a hold does not go over into another lease", () => {
  const { sender, timers, said } = stage(1);
  sender.receiveHold(live());
  sender.receiveEpoch(2);
  timers.pass(500);
  expect(said).toHaveLength(1);
});

test("a socket that takes nothing is given nothing, and the newest when it takes again", () => {
  const { sender, timers, socket, said, drives } = stage();
  const hold = live();
  sender.receiveHold(hold);
  socket.isBackedUp = true;
  timers.pass(300);
  sender.receiveHold(move(hold, "keys", velocity(-1, 0), timers.now()));
  timers.pass(300);
  expect(drives()).toHaveLength(1);
  socket.isBackedUp = false;
  timers.pass(LEAST_GAP_MS);
  expect(drives()).toHaveLength(2);
  expect(drives()[1]).toMatchObject({ pan: -1, clock: said[1]?.atMs });
});

test("letting go is said even to a socket that is backed up", () => {
  const { sender, socket, said } = stage();
  const hold = live();
  sender.receiveHold(hold);
  socket.isBackedUp = true;
  sender.receiveHold(letGo(hold, "keys"));
  expect(said.at(-1)?.message.type).toBe("release");
});

test("each message repeats the newest time of the server's clock", () => {
  const { sender, timers, server, drives } = stage();
  sender.receiveHold(live());
  server.heard = { serverMs: 50_250, ageMs: 0 };
  timers.pass(50);
  expect(drives().map(({ heard }) => heard)).toEqual([50_000, 50_250]);
});

test("a press waits until the server was heard of lately, and asks for that at once, again and again", () => {
  const { sender, timers, server, said } = stage();
  server.heard = { serverMs: 50_000, ageMs: 401 };
  const hold = live();
  sender.receiveHold(hold);
  timers.pass(100);
  sender.receiveHold(move(hold, "keys", velocity(1, 0), timers.now()));
  timers.pass(500);
  expect(server.pings).toEqual([1000, 1250, 1500]);
  expect(said).toEqual([]);
  server.heard = { serverMs: 50_600, ageMs: 0 };
  sender.receiveHeard();
  expect(said).toMatchObject([
    { atMs: 1600, message: { type: "drive", hold: 1, pan: 1, heard: 50_600, clock: 1600 } },
  ]);
});

test("a press asks for the server's time along with the lease", () => {
  const { sender, server, said } = stage(null);
  server.heard = null;
  sender.receiveHold(live());
  expect(server.pings).toEqual([1000]);
  server.heard = { serverMs: 50_600, ageMs: 0 };
  sender.receiveHeard();
  expect(said).toEqual([]);
  sender.receiveEpoch(3);
  expect(said).toHaveLength(1);
});

test("how lately depends on what the server allows", () => {
  const { sender, server, said } = stage();
  sender.receiveMaxAge(300);
  server.heard = { serverMs: 50_000, ageMs: 121 };
  sender.receiveHold(live());
  expect(said).toEqual([]);
});

test("a press that was let go while it waited is never told", () => {
  const { sender, server, timers, said } = stage();
  server.heard = null;
  const hold = live();
  sender.receiveHold(hold);
  sender.receiveHold(letGo(hold, "keys"));
  server.heard = { serverMs: 50_600, ageMs: 0 };
  sender.receiveHeard();
  timers.pass(1000);
  expect(said).toEqual([]);
  expect(server.pings).toHaveLength(1);
});

test("a hold that goes on is told although nothing was heard: the server decides", () => {
  const { sender, server, timers, drives } = stage();
  sender.receiveHold(live());
  server.heard = { serverMs: 50_000, ageMs: 900 };
  timers.pass(100);
  expect(drives()).toHaveLength(3);
});

test("letting go is said however long nothing was heard", () => {
  const { sender, server, said } = stage();
  const hold = live();
  sender.receiveHold(hold);
  server.heard = null;
  sender.receiveHold(letGo(hold, "keys"));
  expect(said.at(-1)?.message.type).toBe("release");
});

/** A page's life for the property below: what was held when, beside what was said. */
class World {
  readonly stage = stage();
  readonly lives = new Map<number, { fromMs: number; toMs: number }>();
  hold: Hold = NO_HOLD;

  become(next: Hold): void {
    const nowMs = this.stage.timers.now();
    const life = this.lives.get(this.hold.number);
    if (this.hold.kind === "live" && next.kind !== "live" && life !== undefined) {
      life.toMs = nowMs;
    }
    if (next.kind === "live" && this.hold.kind !== "live") {
      this.lives.set(next.number, { fromMs: nowMs, toMs: Number.POSITIVE_INFINITY });
    }
    this.hold = next;
    this.stage.sender.receiveHold(next);
  }
}

type Step = (world: World) => void;

const steps = fc.array<Step>(
  fc.oneof(
    fc.constant<Step>((w) => w.become(press(w.hold, "keys", velocity(0.3, 0), w.stage.timers.now()))),
    fc.constant<Step>((w) => w.become(letGo(w.hold, "keys"))),
    fc.constant<Step>((w) => w.become(cut(w.hold, "stopped"))),
    fc
      .integer({ min: -1000, max: 1000 })
      .map<Step>(
        (pan) => (w) => w.become(move(w.hold, "keys", velocity(pan / 1000, 0), w.stage.timers.now())),
      ),
    fc.integer({ min: 0, max: 120 }).map<Step>((ms) => (w) => w.stage.timers.pass(ms)),
    fc.option(fc.nat(5)).map<Step>((epoch) => (w) => w.stage.sender.receiveEpoch(epoch)),
    fc.boolean().map<Step>((is) => (w) => {
      w.stage.socket.isBackedUp = is;
    }),
    fc.boolean().map<Step>((is) => (w) => {
      w.stage.socket.isOpen = is;
    }),
  ),
  { maxLength: 80 },
);

test("over any history: only live holds drive, nothing after a release, sequences rise, sixty a second at most", () => {
  fc.assert(
    fc.property(steps, (history) => {
      const world = new World();
      for (const step of history) {
        step(world);
      }
      let seq = 0;
      let lastDriveAtMs = Number.NEGATIVE_INFINITY;
      const released = new Set<number>();
      for (const { atMs, message } of world.stage.said) {
        if (message.type !== "drive" && message.type !== "release") {
          throw new Error(`a sender says no ${message.type}`);
        }
        expect(message.seq).toBeGreaterThan(seq);
        seq = message.seq;
        expect(released.has(message.hold)).toBe(false);
        if (message.type === "release") {
          released.add(message.hold);
          continue;
        }
        const life = world.lives.get(message.hold);
        expect(atMs).toBeGreaterThanOrEqual(life?.fromMs ?? Number.NaN);
        expect(atMs).toBeLessThanOrEqual(life?.toMs ?? Number.NaN);
        expect(atMs - lastDriveAtMs).toBeGreaterThanOrEqual(LEAST_GAP_MS);
        lastDriveAtMs = atMs;
      }
    }),
    { numRuns: 1000 },
  );
});

test("over any history: a live hold under the lease is heard of at least every resend", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 40 }), (pauses) => {
      const { sender, timers, said } = stage();
      let hold = live();
      sender.receiveHold(hold);
      pauses.forEach((ms, n) => {
        timers.pass(ms);
        hold = move(hold, "keys", velocity(n / 100, 0), timers.now());
        sender.receiveHold(hold);
      });
      const times = said.map(({ atMs }) => atMs);
      times.slice(1).forEach((atMs, n) => {
        expect(atMs - (times[n] ?? 0)).toBeLessThanOrEqual(50);
      });
    }),
  );
});
