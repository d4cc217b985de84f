// Keeps what was seen last on the page while no picture comes: dimmed, it tells more than a black hole would.
import { effect, type ReadonlySignal } from "@preact/signals";
import type { ViewerState } from "../stage/viewer";

/** Paints the video's last picture on `canvas` each time that the live one is lost; returns what ends that. */
export function keepLastPicture(
  video: HTMLVideoElement,
  canvas: HTMLCanvasElement,
  viewer: ReadonlySignal<ViewerState>,
): () => void {
  let wasShowing = false;
  return effect(() => {
    const { kind } = viewer.value;
    const isShowing = kind === "live" || kind === "frozen";
    // The video still has its last picture within the turn in which its stream ends, and no longer.
    if (wasShowing && !isShowing && video.videoWidth > 0) {
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      canvas.getContext("2d")?.drawImage(video, 0, 0);
    }
    wasShowing = isShowing;
  });
}
