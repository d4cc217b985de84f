import { expect, test } from "vitest";
import { FakeTimers, settled } from "../testing/fake-timers";
import { Viewer } from "./viewer";
import { JoinError, type JoinFailure, type Viewing, type WhepEvents } from "./whep";

interface Attempt {
  readonly events: WhepEvents;
  readonly signal: AbortSignal;
  isLeft: boolean;
  succeed(viewing?: Partial<Viewing>): Promise<void>;
  fail(failure: JoinFailure): Promise<void>;
}

function setup() {
  const timers = new FakeTimers();
  const attempts: Attempt[] = [];
  const shown: (MediaStream | null)[] = [];
  const glass: [capturedAtMs: number, shownAtMs: number][] = [];
  const viewer = new Viewer({
    timers,
    random: () => 0,
    join: (events, signal) =>
      new Promise((resolve, reject) => {
        const attempt: Attempt = {
          events,
          signal,
          isLeft: false,
          succeed: (viewing = {}) => {
            const leave = () => {
              attempt.isLeft = true;
            };
            resolve({ captureAnchor: null, leave, ...viewing });
            return settled();
          },
          fail: (failure) => {
            reject(new JoinError(failure));
            return settled();
          },
        };
        attempts.push(attempt);
      }),
    show: (stream) => shown.push(stream),
    receiveGlass: (capturedAtMs, shownAtMs) => glass.push([capturedAtMs, shownAtMs]),
  });
  const attempt = (): Attempt => {
    const newest = attempts.at(-1);
    if (newest === undefined) {
      throw new Error("nobody joined");
    }
    return newest;
  };
  const frame = (rtp: number | null = null) => viewer.receiveFrame({ shownAtMs: timers.now(), rtp });
  const play = (durationMs: number) => {
    for (let ms = 0; ms < durationMs; ms += 50) {
      timers.pass(50);
      frame();
    }
  };
  const goLive = async () => {
    viewer.open();
    await attempt().succeed();
    frame();
  };
  return { timers, attempts, shown, glass, viewer, attempt, frame, play, goLive };
}

const kind = (viewer: Viewer) => viewer.state.value.kind;

test("the picture is live with its first frame, not before", async () => {
  const { viewer, attempt, shown, frame } = setup();
  const stream = {} as MediaStream;
  viewer.open();
  attempt().events.onStream(stream);
  await attempt().succeed();
  expect(shown).toEqual([stream]);
  expect(kind(viewer)).toBe("joining");
  frame();
  expect(kind(viewer)).toBe("live");
});

test("a picture that stands still for a second is frozen, and live again with the next frame", async () => {
  const { viewer, timers, goLive, frame, play } = setup();
  await goLive();
  play(3000);
  expect(kind(viewer)).toBe("live");
  timers.pass(1000);
  expect(kind(viewer)).toBe("live");
  timers.pass(200);
  expect(kind(viewer)).toBe("frozen");
  frame();
  expect(kind(viewer)).toBe("live");
});

test("a picture that stays frozen is fetched anew", async () => {
  const { viewer, timers, attempts, goLive } = setup();
  await goLive();
  timers.pass(3200);
  expect(kind(viewer)).toBe("waiting");
  expect(attempts[0]?.isLeft).toBe(true);
  timers.pass(250);
  expect(attempts).toHaveLength(2);
  expect(kind(viewer)).toBe("joining");
});

test("a page that slept does not take its own absence for a frozen picture", async () => {
  const { viewer, timers, goLive, frame } = setup();
  await goLive();
  timers.sleep(20_000);
  expect(kind(viewer)).toBe("live");
  frame();
  timers.pass(900);
  expect(kind(viewer)).toBe("live");
});

test("a first picture that does not come is asked for again", async () => {
  const { viewer, timers, attempts, attempt } = setup();
  viewer.open();
  await attempt().succeed();
  timers.pass(6200);
  expect(attempts[0]?.isLeft).toBe(true);
  timers.pass(250);
  expect(attempts).toHaveLength(2);
});

test("a lost connection is made again by itself", async () => {
  const { viewer, timers, attempts, attempt, goLive } = setup();
  await goLive();
  attempt().events.onLost();
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "failed" });
  timers.pass(250);
  expect(attempts).toHaveLength(2);
});

test("failures wait longer each time, and a picture makes the next wait short again", async () => {
  const { viewer, timers, attempts, attempt, frame } = setup();
  viewer.open();
  await attempt().fail("failed");
  timers.pass(250);
  await attempt().fail("failed");
  timers.pass(449);
  expect(attempts).toHaveLength(2);
  timers.pass(1);
  expect(attempts).toHaveLength(3);
  await attempt().succeed();
  frame();
  attempt().events.onLost();
  timers.pass(250);
  expect(attempts).toHaveLength(4);
});

test("a full house is asked again in peace, or at once if the visitor wishes", async () => {
  const { viewer, timers, attempts, attempt } = setup();
  viewer.open();
  await attempt().fail("full");
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "full" });
  timers.pass(3999);
  expect(attempts).toHaveLength(1);
  timers.pass(1);
  expect(attempts).toHaveLength(2);
  await attempt().fail("full");
  viewer.retryNow();
  expect(attempts).toHaveLength(3);
});

test("who is not welcome does not ask again", async () => {
  const { viewer, timers, attempts, attempt } = setup();
  viewer.open();
  await attempt().fail("not_welcome");
  timers.pass(60_000);
  expect(kind(viewer)).toBe("ended");
  expect(attempts).toHaveLength(1);
});

test("closing leaves, clears the screen, and nothing that comes later changes that", async () => {
  const { viewer, timers, attempts, attempt, shown, frame, goLive } = setup();
  await goLive();
  viewer.close();
  attempt().events.onLost();
  attempt().events.onStream({} as MediaStream);
  frame();
  timers.pass(60_000);
  expect(kind(viewer)).toBe("closed");
  expect(attempts).toHaveLength(1);
  expect(attempts[0]?.isLeft).toBe(true);
  expect(shown).toEqual([null]);
  expect(timers.waiting).toBe(0);
});

test("an answer that comes after closing is left again", async () => {
  const { viewer, attempt } = setup();
  viewer.open();
  viewer.close();
  expect(attempt().signal.aborted).toBe(true);
  await attempt().succeed();
  expect(attempt().isLeft).toBe(true);
  expect(kind(viewer)).toBe("closed");
});

test("a hidden page misses no frames, and gives the stream back after half a minute", async () => {
  const { viewer, timers, attempts, goLive } = setup();
  await goLive();
  viewer.receiveVisible(false);
  timers.pass(29_000);
  expect(kind(viewer)).toBe("live");
  timers.pass(1000);
  expect(kind(viewer)).toBe("waiting");
  expect(attempts[0]?.isLeft).toBe(true);
  timers.pass(600_000);
  expect(attempts).toHaveLength(1);
  viewer.receiveVisible(true);
  expect(attempts).toHaveLength(2);
});

test("a page seen again in time has its picture still", async () => {
  const { viewer, timers, attempts, goLive, frame } = setup();
  await goLive();
  viewer.receiveVisible(false);
  timers.pass(20_000);
  viewer.receiveVisible(true);
  frame();
  timers.pass(900);
  expect(kind(viewer)).toBe("live");
  expect(attempts).toHaveLength(1);
});

test("each frame's true age is told, once the server has said how to read its stamp", async () => {
  const { viewer, attempt, frame, glass, timers } = setup();
  viewer.open();
  await attempt().succeed({ captureAnchor: { rtp: 900, serverMs: 70_000 } });
  frame(900 + 9000);
  frame(null);
  expect(glass).toEqual([[70_100, timers.now()]]);
});
