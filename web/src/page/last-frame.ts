// Keeps the last frame on the page while there is no live picture; dimmed by styles.css, it is better than black.
import { effect, type ReadonlySignal } from "@preact/signals";
import type { ViewerState } from "../stage/viewer";

/** Draws the video's last frame on `canvas` whenever the live picture is lost; returns a function that stops it. */
export function keepLastFrame(
  video: HTMLVideoElement,
  canvas: HTMLCanvasElement,
  viewer: ReadonlySignal<ViewerState>,
): () => void {
  let wasShowing = false;
  return effect(() => {
    const { kind } = viewer.value;
    const isShowing = kind === "live" || kind === "frozen";
    // Synchronously, because the video has its last frame only until the end of the task that ends its stream.
    if (wasShowing && !isShowing && video.videoWidth > 0) {
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      canvas.getContext("2d")?.drawImage(video, 0, 0);
    }
    wasShowing = isShowing;
  });
}
