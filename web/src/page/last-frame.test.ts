import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import type { ViewerState } from "../stage/viewer";
import { keepLastPicture } from "./last-frame";

function setup({ width = 1280 } = {}) {
  const painted: unknown[] = [];
  const video = { videoWidth: width, videoHeight: 720 } as HTMLVideoElement; // the part of it that is used
  const context = { drawImage: (image: unknown) => painted.push(image) };
  const canvas = {
    width: 300,
    height: 150,
    getContext: () => context as unknown as CanvasRenderingContext2D,
  };
  const viewer = signal<ViewerState>({ kind: "joining", attempt: 0 });
  const stop = keepLastPicture(video, canvas as unknown as HTMLCanvasElement, viewer);
  const become = (...kinds: ("live" | "frozen" | "lost")[]) => {
    for (const kind of kinds) {
      viewer.value = kind === "lost" ? { kind: "waiting", failure: "failed" } : { kind };
    }
  };
  return { painted, video, canvas, stop, become };
}

test("the last picture is kept whole, in the turn in which it is lost", () => {
  const { painted, video, canvas, become } = setup();
  become("live");
  expect(painted).toEqual([]);
  become("lost");
  expect(painted).toEqual([video]);
  expect([canvas.width, canvas.height]).toEqual([1280, 720]);
});

test("each loss keeps its own last picture, and no black one of a try that failed", () => {
  const { painted, become } = setup();
  become("live", "frozen", "lost", "lost");
  expect(painted).toHaveLength(1);
  become("live", "lost");
  expect(painted).toHaveLength(2);
});

test("where nothing was seen there is nothing to keep", () => {
  const { painted, become } = setup({ width: 0 });
  become("lost", "live", "lost");
  expect(painted).toEqual([]);
});

test("it ends with the room", () => {
  const { painted, stop, become } = setup();
  become("live");
  stop();
  become("lost");
  expect(painted).toEqual([]);
});
