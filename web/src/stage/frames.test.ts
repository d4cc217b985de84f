// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { watchFrames } from "./frames";
import type { ShownFrame } from "./viewer-ports";

const playing = () => Object.defineProperty(document.createElement("video"), "paused", { value: false });

test("each frame is reported with its display time and RTP timestamp, until stopped", () => {
  const callbacks = new Map<number, (now: number, metadata: object) => void>();
  const video = Object.assign(playing(), {
    requestVideoFrameCallback: (callback: (now: number, metadata: object) => void) => {
      callbacks.set(callbacks.size + 1, callback);
      return callbacks.size;
    },
    cancelVideoFrameCallback: (id: number) => callbacks.delete(id),
  });
  const frames: ShownFrame[] = [];
  const stop = watchFrames(video, (frame) => frames.push(frame));
  callbacks.get(1)?.(0, { expectedDisplayTime: 12.5, rtpTimestamp: 900 });
  callbacks.get(2)?.(0, { expectedDisplayTime: 45 });
  expect(frames).toEqual([
    { shownAtMs: 12.5, rtpTimestamp: 900 },
    { shownAtMs: 45, rtpTimestamp: null },
  ]);
  stop();
  expect(callbacks.has(3)).toBe(false);
});

test("without frame callbacks, timeupdate reports frames", () => {
  const video = playing();
  Object.defineProperty(video, "requestVideoFrameCallback", { value: undefined });
  const frames: ShownFrame[] = [];
  const stop = watchFrames(video, (frame) => frames.push(frame));
  video.dispatchEvent(new Event("timeupdate"));
  stop();
  video.dispatchEvent(new Event("timeupdate"));
  expect(frames).toMatchObject([{ rtpTimestamp: null }]);
});

test("a paused video shows nothing new, whatever the browser reports", () => {
  const callbacks: VideoFrameRequestCallback[] = [];
  const video = Object.assign(document.createElement("video"), {
    requestVideoFrameCallback: (callback: VideoFrameRequestCallback) => callbacks.push(callback),
    cancelVideoFrameCallback: () => {},
  });
  const frames: ShownFrame[] = [];
  watchFrames(video, (frame) => frames.push(frame));
  callbacks[0]?.(0, { expectedDisplayTime: 12.5 } as VideoFrameCallbackMetadata);
  expect(frames).toEqual([]);
  expect(callbacks).toHaveLength(2); // it goes on when the video does
});
