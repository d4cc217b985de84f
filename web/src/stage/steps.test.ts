// The ways of the viewer one after the other; `race.test.ts` has those that race.
import { expect, test } from "vitest";
import { FakeTimers, flushPromises } from "../testing/fake-timers";
import { NO_VOICE } from "../testing/voice";
import type { IvsEvents } from "./ivs";
import type { StreamEvents } from "./stream";
import { DIRECT_TIMEOUT_MS, FROZEN_MS, STEP_MS, Viewer } from "./viewer";
import type { WayName } from "./way";
import { JoinError, type WhepEvents } from "./whep";

interface Attempt<Events> {
  readonly events: Events;
  isLeft: boolean;
}

function setup(ways: readonly WayName[], canStream = true) {
  const timers = new FakeTimers();
  const directs: Attempt<WhepEvents>[] = [];
  const streams: Attempt<StreamEvents>[] = [];
  const places: Attempt<IvsEvents>[] = [];
  const begin = <Events>(attempts: Attempt<Events>[], events: Events) => {
    const attempt = { events, isLeft: false };
    attempts.push(attempt);
    return {
      captureAnchor: null,
      voice: NO_VOICE,
      leave: () => {
        attempt.isLeft = true;
      },
    };
  };
  const failing = { ivs: false };
  const viewer = new Viewer({
    timers,
    ways,
    random: () => 0,
    newView: () => "view",
    joinDirect: async (_view, events) => ({ ...begin(directs, events), voice: NO_VOICE }),
    joinStream: canStream ? (_view, events) => begin(streams, events) : null,
    joinIvs: async (_view, events) => {
      const session = begin(places, events);
      if (failing.ivs) {
        throw new JoinError("full");
      }
      return session;
    },
    show: () => {},
    draw: () => {},
    receiveFrameTimes: () => {},
  });
  const frame = () => viewer.receiveFrame({ shownAtMs: timers.now(), rtpTimestamp: null });
  const play = async (durationMs: number) => {
    for (let ms = 0; ms < durationMs; ms += 50) {
      timers.advance(50);
      frame();
    }
    await flushPromises();
  };
  const pass = async (durationMs: number) => {
    timers.advance(durationMs);
    await flushPromises();
  };
  const open = async () => {
    viewer.open();
    await flushPromises();
  };
  const tried = () => [directs.length, streams.length, places.length];
  const seen = () => [viewer.state.value.kind, viewer.way.value];
  return { viewer, directs, streams, places, failing, frame, play, pass, open, tried, seen, timers };
}

test("Amazon IVS alone, where the house wants that", async () => {
  const { open, tried, frame, seen } = setup(["ivs"]);
  await open();
  expect(tried()).toEqual([0, 0, 1]);
  frame();
  expect(seen()).toEqual(["live", "ivs"]);
});

test("after the ways that race have no picture, Amazon IVS is tried, as one attempt to join", async () => {
  const { viewer, directs, streams, open, pass, tried, seen, frame } = setup(["direct", "stream", "ivs"]);
  await open();
  expect(tried()).toEqual([1, 1, 0]);
  await pass(STEP_MS + 400);
  expect(tried()).toEqual([1, 1, 1]);
  expect(directs[0]?.isLeft && streams[0]?.isLeft).toBe(true);
  expect(viewer.state.value).toEqual({ kind: "joining", attempt: 0, after: null });
  frame();
  expect(seen()).toEqual(["live", "ivs"]);
});

test("where a way fails at once, the next is tried at once", async () => {
  const { places, open, tried, pass } = setup(["ivs", "stream"]);
  await open();
  places[0]?.events.onLost("failed");
  await pass(0);
  expect(tried()).toEqual([0, 1, 1]);
});

test("the first way has the picture, so the others are left alone", async () => {
  const { open, play, tried, seen } = setup(["direct", "stream", "ivs"]);
  await open();
  await play(DIRECT_TIMEOUT_MS + STEP_MS);
  expect(tried()).toEqual([1, 1, 0]);
  expect(seen()).toEqual(["live", "direct"]);
});

test("after the last one the most telling failure is said, and the first is tried again", async () => {
  const { viewer, failing, open, pass, tried } = setup(["direct", "ivs"]);
  failing.ivs = true;
  await open();
  await pass(STEP_MS + 400);
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "full" });
  await pass(10_000);
  expect(tried()[0]).toBeGreaterThan(1);
});

test("a camera that delivers nothing is not waited for on each way", async () => {
  const { viewer, streams, open, pass, tried } = setup(["stream", "ivs"]);
  await open();
  streams[0]?.events.onLost("no_picture");
  await pass(0);
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "no_picture" });
  expect(tried()).toEqual([0, 1, 0]);
});

test("a picture of Amazon IVS that is frozen for a second is joined anew, and shown meanwhile", async () => {
  const { viewer, places, open, play, pass, frame, tried, seen } = setup(["ivs"]);
  await open();
  await play(1000);
  await pass(FROZEN_MS + 400);
  expect(places[0]?.isLeft).toBe(true);
  expect(tried()).toEqual([0, 0, 2]);
  expect(viewer.state.value).toEqual({ kind: "joining", attempt: 0, after: null });
  frame();
  expect(seen()).toEqual(["live", "ivs"]);
});

test("while the server says that the camera has no picture, Amazon IVS is not to blame", async () => {
  const { viewer, open, play, pass, tried } = setup(["ivs"]);
  await open();
  await play(1000);
  viewer.receiveAvailability(false);
  await pass(10_000);
  expect(tried()).toEqual([0, 0, 1]);
});

test("a place that is lost is taken anew, but one that is lost before its picture is a failure", async () => {
  const { viewer, places, open, play, pass, tried } = setup(["ivs"]);
  await open();
  await play(500);
  places[0]?.events.onLost("failed");
  await pass(0);
  expect(tried()).toEqual([0, 0, 2]);
  places[1]?.events.onLost("full");
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "full" });
});

test("the curtain and the end of the session are told whatever the way", async () => {
  const first = setup(["ivs", "direct"]);
  await first.open();
  first.places[0]?.events.onLost("withheld");
  expect(first.viewer.state.value.kind).toBe("withheld");
  expect(first.places[0]?.isLeft).toBe(true);
  const second = setup(["ivs"]);
  await second.open();
  second.places[0]?.events.onLost("no_session");
  expect(second.viewer.state.value.kind).toBe("ended");
});

test("closing leaves Amazon IVS too", async () => {
  const { viewer, places, open } = setup(["ivs"]);
  await open();
  viewer.close();
  expect(places[0]?.isLeft).toBe(true);
});

test("a browser that has none of the ways is told so", async () => {
  const { viewer, open, tried } = setup(["stream"], false);
  await open();
  expect(viewer.state.value).toEqual({ kind: "waiting", failure: "blocked" });
  expect(tried()).toEqual([0, 0, 0]);
});
