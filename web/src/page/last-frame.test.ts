import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import type { ViewerState } from "../stage/viewer-ports";
import { keepLastFrame } from "./last-frame";

function setup({ width = 1280 } = {}) {
  const drawn: unknown[] = [];
  const video = { videoWidth: width, videoHeight: 720 } as HTMLVideoElement; // the part that is used
  const context = { drawImage: (image: unknown) => drawn.push(image) };
  const canvas = {
    width: 300,
    height: 150,
    getContext: () => context as unknown as CanvasRenderingContext2D,
  };
  const viewer = signal<ViewerState>({ kind: "joining", attempt: 0, after: null });
  const stop = keepLastFrame(() => video, canvas as unknown as HTMLCanvasElement, viewer);
  const setViewer = (...kinds: ("live" | "frozen" | "lost" | "closed" | "ended")[]) => {
    for (const kind of kinds) {
      viewer.value = kind === "lost" ? { kind: "waiting", failure: "failed" } : { kind };
    }
  };
  return { drawn, video, canvas, stop, setViewer };
}

test("the last frame is drawn in full size, synchronously with the loss", () => {
  const { drawn, video, canvas, setViewer } = setup();
  setViewer("live");
  expect(drawn).toEqual([]);
  setViewer("lost");
  expect(drawn).toEqual([video]);
  expect([canvas.width, canvas.height]).toEqual([1280, 720]);
});

test("each loss draws its own last frame, and a failed attempt draws none", () => {
  const { drawn, setViewer } = setup();
  setViewer("live", "frozen", "lost", "lost");
  expect(drawn).toHaveLength(1);
  setViewer("live", "lost");
  expect(drawn).toHaveLength(2);
});

test("a video without a frame draws nothing", () => {
  const { drawn, setViewer } = setup({ width: 0 });
  setViewer("lost", "live", "lost");
  expect(drawn).toEqual([]);
});

test("after it is stopped it draws nothing", () => {
  const { drawn, stop, setViewer } = setup();
  setViewer("live");
  stop();
  setViewer("lost");
  expect(drawn).toEqual([]);
});

test.each(["closed", "ended"] as const)(
  "when looking is %s, nothing of the room stays on the page",
  (kind) => {
    const { drawn, canvas, setViewer } = setup();
    setViewer("live", "lost", "live", kind);
    expect(drawn).toHaveLength(1);
    expect(canvas.width).toBe(0);
  },
);
