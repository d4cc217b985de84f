// Keeps the last frame on the page while the live picture is to come back; dimmed by styles.css, it is better than
// black. When looking is over for good, the frame goes too: nothing of the room stays on the page.
import { effect, type ReadonlySignal } from "@preact/signals";
import type { ViewerState } from "../stage/viewer";

/**
 * Draws the video's last frame on `canvas` whenever the live picture is lost, and empties the canvas when the viewer is
 * closed or ended. Returns a function that stops it.
 */
export function keepLastFrame(
  video: HTMLVideoElement,
  canvas: HTMLCanvasElement,
  viewer: ReadonlySignal<ViewerState>,
): () => void {
  let wasShowing = false;
  return effect(() => {
    const { kind } = viewer.value;
    const isShowing = kind === "live" || kind === "frozen";
    if (kind === "closed" || kind === "ended") {
      canvas.width = 0; // whatever is assigned to its width empties a canvas
    } else if (wasShowing && !isShowing && video.videoWidth > 0) {
      // Synchronously, because the video has its last frame only until the end of the task that ends its stream.
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      canvas.getContext("2d")?.drawImage(video, 0, 0);
    }
    wasShowing = isShowing;
  });
}
