// The two ways of the viewer against each other; `viewer.test.ts` has what they have in common.
import { expect, test } from "vitest";
import { asFrame, picture } from "../testing/fake-codecs";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { NO_VOICE } from "../testing/voice";
import type { StreamEvents } from "./stream";
import { DIRECT_TIMEOUT_MS, Viewer } from "./viewer";
import type { JoinFailure, WayName } from "./way";
import { JoinError, type WhepEvents } from "./whep";

interface Direct {
  readonly view: string;
  readonly events: WhepEvents;
  readonly signal: AbortSignal;
}

interface Stream {
  readonly view: string;
  readonly events: StreamEvents;
  isLeft: boolean;
}

function setup() {
  const timers = new FakeTimers();
  const directs: Direct[] = [];
  const streams: Stream[] = [];
  const rejections: ((error: JoinError) => void)[] = [];
  const log: string[] = [];
  const drawn: VideoFrame[] = [];
  let views = 0;
  const viewer = new Viewer({
    timers,
    random: () => 0,
    newView: () => `view${++views}`,
    joinDirect: (view, events, signal) => {
      directs.push({ view, events, signal });
      return new Promise((resolve, reject) => {
        rejections.push(reject);
        void Promise.resolve().then(() => resolve({ captureAnchor: null, voice: NO_VOICE, leave: () => {} }));
      });
    },
    joinStream: (view, events) => {
      const stream: Stream = { view, events, isLeft: false };
      streams.push(stream);
      return {
        leave: () => {
          stream.isLeft = true;
        },
      };
    },
    show: () => {},
    draw: (frame) => drawn.push(frame),
    receiveFrameTimes: () => {},
  });
  viewer.state.subscribe(({ kind }) => log.push(kind));
  const frame = (way: WayName) =>
    way === "direct"
      ? viewer.receiveFrame({ shownAtMs: timers.now(), rtpTimestamp: null })
      : viewer.receiveDrawn(timers.now(), timers.now());
  const play = (way: WayName, durationMs: number) => {
    for (let ms = 0; ms < durationMs; ms += 50) {
      timers.advance(50);
      frame(way);
    }
  };
  const seen = () => [viewer.state.value.kind, viewer.way.value, viewer.isIndirect.value];
  const direct = (): Direct => directs.at(-1) ?? fails("WebRTC was not tried");
  const stream = (): Stream => streams.at(-1) ?? fails("no socket was used");
  /** The server refuses the newest offer. */
  const rejectDirect = (failure: JoinFailure) => {
    rejections.at(-1)?.(new JoinError(failure));
    return flushPromises();
  };
  return { timers, viewer, directs, streams, direct, stream, rejectDirect, frame, play, seen, log, drawn };
}

function fails(reason: string): never {
  throw new Error(reason);
}

test("both ways start at once, as one view, and the first frame is shown", () => {
  const { viewer, directs, streams, frame, seen } = setup();
  viewer.open();
  expect(directs).toHaveLength(1);
  expect(streams).toHaveLength(1);
  expect(directs[0]?.view).toBe(streams[0]?.view);
  expect(seen()).toEqual(["joining", null, false]);
  frame("stream");
  expect(seen()).toEqual(["live", "stream", false]);
});

test("the picture changes to WebRTC with its first frame, and the socket is left", () => {
  const { viewer, streams, play, frame, seen, log } = setup();
  viewer.open();
  play("stream", 300);
  expect(streams[0]?.isLeft).toBe(false);
  frame("direct");
  expect(seen()).toEqual(["live", "direct", false]);
  expect(streams[0]?.isLeft).toBe(true);
  expect(log).toEqual(["closed", "joining", "live"]);
});

test("where WebRTC is quicker the socket's picture is never shown", () => {
  const { viewer, stream, frame, seen, drawn } = setup();
  viewer.open();
  frame("direct");
  frame("stream");
  const late = picture();
  stream().events.onPicture(asFrame(late));
  expect(seen()).toEqual(["live", "direct", false]);
  expect(drawn).toEqual([]);
  expect(late.isClosed).toBe(true);
});

test("if WebRTC is not up in time the socket stays, and this is said", () => {
  const { viewer, direct, stream, play, seen } = setup();
  viewer.open();
  play("stream", DIRECT_TIMEOUT_MS - 50);
  expect(direct().signal.aborted).toBe(false);
  expect(seen()).toEqual(["live", "stream", false]);
  play("stream", 100);
  expect(direct().signal.aborted).toBe(true);
  expect(stream().isLeft).toBe(false);
  expect(seen()).toEqual(["live", "stream", true]);
});

test("while the socket has no picture either, WebRTC is not given up: it is the camera", () => {
  const { viewer, timers, direct, frame, seen } = setup();
  viewer.open();
  timers.advance(DIRECT_TIMEOUT_MS + 1000);
  expect(direct().signal.aborted).toBe(false);
  frame("direct");
  expect(seen()).toEqual(["live", "direct", false]);
});

test("WebRTC is tried again later each time, quietly, and taken when it works", () => {
  const { viewer, directs, play, frame, seen, stream, log } = setup();
  viewer.open();
  play("stream", DIRECT_TIMEOUT_MS);
  play("stream", 9900);
  expect(directs).toHaveLength(1);
  play("stream", 200);
  expect(directs).toHaveLength(2);
  expect(directs[1]?.view).toBe(directs[0]?.view);
  play("stream", DIRECT_TIMEOUT_MS);
  play("stream", 19_500);
  expect(directs).toHaveLength(2);
  play("stream", 600);
  expect(directs).toHaveLength(3);
  frame("direct");
  expect(seen()).toEqual(["live", "direct", false]);
  expect(stream().isLeft).toBe(true);
  expect(log).toEqual(["closed", "joining", "live"]);
});

test("after many failures in a row only a change of the network is a reason to try again", () => {
  const { viewer, directs, play } = setup();
  viewer.open();
  play("stream", 40 * 60_000);
  const tries = directs.length;
  expect(tries).toBe(9);
  viewer.retryNow();
  expect(directs).toHaveLength(tries + 1);
});

test("WebRTC that breaks is replaced by the socket, with a frame that is missing at most", () => {
  const { viewer, direct, streams, play, frame, seen } = setup();
  viewer.open();
  play("direct", 1000);
  expect(streams).toHaveLength(1);
  direct().events.onLost();
  expect(streams).toHaveLength(2);
  expect(seen()).toEqual(["joining", "direct", true]);
  frame("stream");
  expect(seen()).toEqual(["live", "stream", true]);
});

test("a frozen picture of WebRTC is replaced by the socket's once that moves", () => {
  const { viewer, timers, direct, streams, play, frame, seen } = setup();
  viewer.open();
  play("direct", 1000);
  timers.advance(1200);
  expect(seen()).toEqual(["frozen", "direct", false]);
  expect(streams).toHaveLength(2);
  frame("stream");
  expect(seen()).toEqual(["live", "stream", false]);
  play("stream", 900);
  expect(direct().signal.aborted).toBe(false);
  play("stream", 200);
  expect(direct().signal.aborted).toBe(true);
  expect(seen()).toEqual(["live", "stream", true]);
});

test("WebRTC that was only frozen for a moment is taken back", () => {
  const { viewer, timers, direct, stream, play, frame, seen } = setup();
  viewer.open();
  play("direct", 1000);
  timers.advance(1200);
  frame("stream");
  frame("direct");
  expect(seen()).toEqual(["live", "direct", false]);
  expect(stream().isLeft).toBe(true);
  play("direct", 3000);
  expect(direct().signal.aborted).toBe(false);
});

test("a picture that is frozen on both ways is joined again", () => {
  const { viewer, timers, directs, streams, play, seen } = setup();
  viewer.open();
  play("direct", 1000);
  timers.advance(3200);
  expect(seen()[0]).toBe("waiting");
  timers.advance(250);
  expect(directs).toHaveLength(2);
  expect(streams).toHaveLength(3);
  expect(directs[1]?.view).not.toBe(directs[0]?.view);
});

test("a socket that fails while WebRTC is being connected costs nothing", () => {
  const { viewer, stream, frame, seen } = setup();
  viewer.open();
  stream().events.onLost("failed");
  expect(seen()).toEqual(["joining", null, false]);
  frame("direct");
  expect(seen()).toEqual(["live", "direct", false]);
});

test("a socket that breaks while WebRTC does not get through is opened again", () => {
  const { viewer, timers, stream, streams, play, seen } = setup();
  viewer.open();
  play("stream", DIRECT_TIMEOUT_MS + 100);
  stream().events.onLost("failed");
  expect(seen()[0]).toBe("waiting");
  timers.advance(250);
  expect(streams).toHaveLength(2);
  expect(seen()[0]).toBe("joining");
});

test("a socket that breaks while WebRTC is only tried again is opened again at once", () => {
  const { viewer, timers, stream, streams, directs, play, seen } = setup();
  viewer.open();
  play("stream", DIRECT_TIMEOUT_MS);
  play("stream", 10_100);
  expect(directs).toHaveLength(2);
  stream().events.onLost("failed");
  expect(seen()[0]).toBe("waiting");
  timers.advance(250);
  expect(streams).toHaveLength(2);
});

test("when both fail, the more telling reason is shown", () => {
  const { viewer, stream, direct } = setup();
  viewer.open();
  stream().events.onLost("full");
  direct().events.onLost();
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "full" });
});

test("a browser that has both ways is never told to get another", () => {
  const { viewer, stream, direct } = setup();
  viewer.open();
  stream().events.onLost("failed");
  direct().events.onLost();
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "failed" });
});

test("the end of the session on either way ends both", () => {
  const { viewer, stream, direct, timers, frame } = setup();
  viewer.open();
  frame("stream");
  stream().events.onLost("no_session");
  expect(viewer.state.value.kind).toBe("ended");
  expect(direct().signal.aborted).toBe(true);
  timers.advance(60_000);
  expect(timers.pendingCount).toBe(0);
});

test("closing leaves both ways, and nothing comes later", () => {
  const { viewer, stream, direct, timers, frame, directs, streams, play } = setup();
  viewer.open();
  play("stream", DIRECT_TIMEOUT_MS + 100);
  viewer.close();
  expect(stream().isLeft).toBe(true);
  expect(direct().signal.aborted).toBe(true);
  frame("stream");
  frame("direct");
  timers.advance(600_000);
  expect([viewer.state.value.kind, viewer.way.value]).toEqual(["closed", null]);
  expect([directs.length, streams.length, timers.pendingCount]).toEqual([1, 1, 0]);
});

test("a hidden page does not try WebRTC, and one that is shown again may", () => {
  const { viewer, timers, directs, play } = setup();
  viewer.open();
  play("stream", DIRECT_TIMEOUT_MS + 100);
  viewer.receiveVisibility(false);
  timers.advance(15_000);
  expect(directs).toHaveLength(1);
  viewer.receiveVisibility(true);
  play("stream", 10_000);
  expect(directs).toHaveLength(2);
});

test("a browser without the codec for WebRTC stays with the socket, and asks no more", () => {
  const { viewer, directs, rejectDirect, play, seen } = setup();
  viewer.open();
  return rejectDirect("no_codec").then(() => {
    play("stream", 40 * 60_000);
    expect(seen()).toEqual(["live", "stream", true]);
    expect(directs).toHaveLength(1);
  });
});

test("a browser without the codec for either way says so, and tries neither again", async () => {
  const { viewer, timers, directs, streams, stream, rejectDirect } = setup();
  viewer.open();
  await rejectDirect("no_codec");
  stream().events.onLost("no_codec");
  timers.advance(3_600_000);
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "no_codec" });
  expect([directs.length, streams.length]).toEqual([1, 1]);
});

test("a socket that fails for another reason is tried again, alone", async () => {
  const { viewer, timers, directs, streams, stream, rejectDirect, frame, seen } = setup();
  viewer.open();
  await rejectDirect("no_codec");
  stream().events.onLost("failed");
  timers.advance(500);
  expect([directs.length, streams.length]).toEqual([1, 2]);
  frame("stream");
  expect(seen()[0]).toBe("live");
});

test("what blocks both ways once is an accident, and three times in a row is not", () => {
  const { viewer, timers, direct, stream } = setup();
  const failures: string[] = [];
  viewer.state.subscribe((state) => {
    if (state.kind === "waiting") {
      failures.push(state.failure);
    }
  });
  viewer.open();
  for (let attempt = 0; attempt < 3; attempt++) {
    direct().events.onLost();
    stream().events.onLost("failed");
    timers.advance(20_000);
  }
  expect(failures.slice(0, 2)).toEqual(["failed", "failed"]);
  expect(failures).toContain("blocked");
});
