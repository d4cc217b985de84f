import { expect, test } from "vitest";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { NO_VOICE } from "../testing/voice";
import { Viewer } from "./viewer";
import type { JoinFailure } from "./way";
import { JoinError, type WhepEvents, type WhepSession } from "./whep";

interface Attempt {
  readonly events: WhepEvents;
  readonly signal: AbortSignal;
  isLeft: boolean;
  succeed(session?: Partial<WhepSession>): Promise<void>;
  fail(failure: JoinFailure): Promise<void>;
}

function setup() {
  const timers = new FakeTimers();
  const attempts: Attempt[] = [];
  const shown: (MediaStream | null)[] = [];
  const frameTimes: [capturedAtMs: number, shownAtMs: number][] = [];
  const viewer = new Viewer({
    timers,
    random: () => 0,
    newView: () => "view",
    joinStream: null,
    draw: () => {},
    joinDirect: (_view, events, signal) =>
      new Promise((resolve, reject) => {
        const attempt: Attempt = {
          events,
          signal,
          isLeft: false,
          succeed: (session = {}) => {
            const leave = () => {
              attempt.isLeft = true;
            };
            resolve({ captureAnchor: null, voice: NO_VOICE, leave, ...session });
            return flushPromises();
          },
          fail: (failure) => {
            reject(new JoinError(failure));
            return flushPromises();
          },
        };
        attempts.push(attempt);
      }),
    show: (stream) => shown.push(stream),
    receiveFrameTimes: (capturedAtMs, shownAtMs) => frameTimes.push([capturedAtMs, shownAtMs]),
  });
  const attempt = (): Attempt => {
    const newest = attempts.at(-1);
    if (newest === undefined) {
      throw new Error("no attempt to join was made");
    }
    return newest;
  };
  const frame = (rtpTimestamp: number | null = null) =>
    viewer.receiveFrame({ shownAtMs: timers.now(), rtpTimestamp });
  const play = (durationMs: number) => {
    for (let ms = 0; ms < durationMs; ms += 50) {
      timers.advance(50);
      frame();
    }
  };
  const goLive = async () => {
    viewer.open();
    await attempt().succeed();
    frame();
  };
  return { timers, attempts, shown, frameTimes, viewer, attempt, frame, play, goLive };
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

test("a picture without frames for a second is frozen, and live again with the next frame", async () => {
  const { viewer, timers, goLive, frame, play } = setup();
  await goLive();
  play(3000);
  expect(kind(viewer)).toBe("live");
  timers.advance(1000);
  expect(kind(viewer)).toBe("live");
  timers.advance(200);
  expect(kind(viewer)).toBe("frozen");
  frame();
  expect(kind(viewer)).toBe("live");
});

test("a picture that stays frozen is joined again", async () => {
  const { viewer, timers, attempts, goLive } = setup();
  await goLive();
  timers.advance(3200);
  expect(kind(viewer)).toBe("waiting");
  expect(attempts[0]?.isLeft).toBe(true);
  timers.advance(250);
  expect(attempts).toHaveLength(2);
  expect(kind(viewer)).toBe("joining");
});

test("while the camera has no picture the connection is kept, and the picture comes back on it", async () => {
  const { viewer, timers, attempts, goLive, frame } = setup();
  await goLive();
  viewer.receiveAvailability(false);
  timers.advance(20_000);
  expect(kind(viewer)).toBe("frozen");
  viewer.receiveAvailability(true);
  timers.advance(2900);
  expect(attempts).toHaveLength(1);
  frame();
  expect(kind(viewer)).toBe("live");
});

test("a picture that does not come although the camera is back is joined again", async () => {
  const { viewer, timers, attempts, goLive } = setup();
  await goLive();
  viewer.receiveAvailability(false);
  timers.advance(20_000);
  viewer.receiveAvailability(true);
  timers.advance(3200);
  expect(kind(viewer)).toBe("waiting");
  timers.advance(250);
  expect(attempts).toHaveLength(2);
});

test("a connection that is lost while the camera has no picture is joined again", async () => {
  const { viewer, timers, attempts, attempt, goLive } = setup();
  await goLive();
  viewer.receiveAvailability(false);
  attempt().events.onLost();
  timers.advance(250);
  expect(attempts).toHaveLength(2);
});

test("when the camera is back nobody waits any longer", async () => {
  const { viewer, attempts, attempt } = setup();
  viewer.open();
  await attempt().fail("no_picture");
  viewer.receiveAvailability(false);
  expect(attempts).toHaveLength(1);
  viewer.receiveAvailability(true);
  viewer.receiveAvailability(true);
  expect(attempts).toHaveLength(2);
});

test("a page that was throttled does not report a frozen picture", async () => {
  const { viewer, timers, goLive, frame } = setup();
  await goLive();
  timers.throttle(20_000);
  expect(kind(viewer)).toBe("live");
  frame();
  timers.advance(900);
  expect(kind(viewer)).toBe("live");
});

test("if the first frame does not arrive, the network blocks it, and the viewer joins again later", async () => {
  const { viewer, timers, attempts, attempt } = setup();
  viewer.open();
  await attempt().succeed();
  timers.advance(6200);
  expect(attempts[0]?.isLeft).toBe(true);
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "blocked" });
  timers.advance(4000);
  expect(attempts).toHaveLength(2);
});

test("what was wrong is known while the viewer tries again, until the visitor asks for it", async () => {
  const { viewer, timers, attempt } = setup();
  viewer.open();
  expect(viewer.state.value).toEqual({ kind: "joining", attempt: 0, after: null });
  await attempt().fail("blocked");
  timers.advance(4000);
  expect(viewer.state.value).toEqual({ kind: "joining", attempt: 1, after: "blocked" });
  await attempt().fail("blocked");
  viewer.retryNow();
  expect(viewer.state.value).toEqual({ kind: "joining", attempt: 0, after: null });
});

test("a codec that the browser lacks is not asked for again by itself", async () => {
  const { viewer, timers, attempts, attempt } = setup();
  viewer.open();
  await attempt().fail("no_codec");
  timers.advance(3_600_000);
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "no_codec" });
  expect(attempts).toHaveLength(1);
  viewer.retryNow();
  expect(attempts).toHaveLength(2);
});

test("a first picture that waits for a tap is waited for, and one that stops is frozen", async () => {
  const { viewer, timers, attempts, attempt, frame } = setup();
  viewer.open();
  await attempt().succeed();
  viewer.receivePaused(true);
  timers.advance(600_000);
  expect(kind(viewer)).toBe("joining");
  expect(attempts).toHaveLength(1);
  viewer.receivePaused(false);
  frame();
  expect(kind(viewer)).toBe("live");
  viewer.receivePaused(true);
  timers.advance(1200);
  expect(kind(viewer)).toBe("frozen");
});

test("the viewer rejoins after a lost connection", async () => {
  const { viewer, timers, attempts, attempt, goLive } = setup();
  await goLive();
  attempt().events.onLost();
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "failed" });
  timers.advance(250);
  expect(attempts).toHaveLength(2);
});

test("each failure makes the wait longer, and a frame makes it short again", async () => {
  const { viewer, timers, attempts, attempt, frame } = setup();
  viewer.open();
  await attempt().fail("failed");
  timers.advance(250);
  await attempt().fail("failed");
  timers.advance(449);
  expect(attempts).toHaveLength(2);
  timers.advance(1);
  expect(attempts).toHaveLength(3);
  await attempt().succeed();
  frame();
  attempt().events.onLost();
  timers.advance(250);
  expect(attempts).toHaveLength(4);
});

test("with too many viewers it retries slowly, or at once if the visitor asks", async () => {
  const { viewer, timers, attempts, attempt } = setup();
  viewer.open();
  await attempt().fail("full");
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "full" });
  timers.advance(3999);
  expect(attempts).toHaveLength(1);
  timers.advance(1);
  expect(attempts).toHaveLength(2);
  await attempt().fail("full");
  viewer.retryNow();
  expect(attempts).toHaveLength(3);
});

test("without a session it does not retry", async () => {
  const { viewer, timers, attempts, attempt } = setup();
  viewer.open();
  await attempt().fail("no_session");
  timers.advance(60_000);
  expect(kind(viewer)).toBe("ended");
  expect(attempts).toHaveLength(1);
});

test("while the room shows nothing it does not retry, and opens again when it is told to", async () => {
  const { viewer, timers, attempts, attempt } = setup();
  viewer.open();
  await attempt().fail("withheld");
  timers.advance(600_000);
  viewer.retryNow();
  viewer.receiveVisibility(false);
  viewer.receiveVisibility(true);
  timers.advance(600_000);
  expect(kind(viewer)).toBe("withheld");
  expect(attempts).toHaveLength(1);
  viewer.open();
  expect(kind(viewer)).toBe("joining");
});

test("closing leaves and clears the screen, and later events change nothing", async () => {
  const { viewer, timers, attempts, attempt, shown, frame, goLive } = setup();
  await goLive();
  viewer.close();
  attempt().events.onLost();
  attempt().events.onStream({} as MediaStream);
  frame();
  timers.advance(60_000);
  expect(kind(viewer)).toBe("closed");
  expect(attempts).toHaveLength(1);
  expect(attempts[0]?.isLeft).toBe(true);
  expect(shown).toEqual([null]);
  expect(timers.pendingCount).toBe(0);
});

test("a session that is established after closing is left again", async () => {
  const { viewer, attempt } = setup();
  viewer.open();
  viewer.close();
  expect(attempt().signal.aborted).toBe(true);
  await attempt().succeed();
  expect(attempt().isLeft).toBe(true);
  expect(kind(viewer)).toBe("closed");
});

test("a hidden page reports no missing frames, and leaves after half a minute", async () => {
  const { viewer, timers, attempts, goLive } = setup();
  await goLive();
  viewer.receiveVisibility(false);
  timers.advance(29_000);
  expect(kind(viewer)).toBe("live");
  timers.advance(1000);
  expect(kind(viewer)).toBe("waiting");
  expect(attempts[0]?.isLeft).toBe(true);
  timers.advance(600_000);
  expect(attempts).toHaveLength(1);
  viewer.receiveVisibility(true);
  expect(attempts).toHaveLength(2);
});

test("a page that is shown again in time still has its picture", async () => {
  const { viewer, timers, attempts, goLive, frame } = setup();
  await goLive();
  viewer.receiveVisibility(false);
  timers.advance(20_000);
  viewer.receiveVisibility(true);
  frame();
  timers.advance(900);
  expect(kind(viewer)).toBe("live");
  expect(attempts).toHaveLength(1);
});

test("capture and display times are reported once the server has sent the capture clock", async () => {
  const { viewer, attempt, frame, frameTimes, timers } = setup();
  viewer.open();
  await attempt().succeed({ captureAnchor: { rtpTimestamp: 900, serverMs: 70_000 } });
  frame(900 + 9000);
  frame(null);
  expect(frameTimes).toEqual([[70_100, timers.now()]]);
});
