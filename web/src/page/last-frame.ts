// Keeps the last frame on the page while the live picture is to come back; dimmed by styles.css, it is better than
// black. When looking is over for good, the frame goes too: nothing of the room stays on the page.
import { effect, type ReadonlySignal } from "@preact/signals";
import type { ViewerState } from "../stage/viewer-ports";

/**
 * Draws the last frame on `canvas` whenever the live picture is lost, and empties the canvas when the viewer is closed,
 * ended, or sees nothing because of the room. `pictureOf` returns what shows the live picture. Returns a function that stops it.
 */
export function keepLastFrame(
  pictureOf: () => HTMLVideoElement | HTMLCanvasElement,
  canvas: HTMLCanvasElement,
  viewer: ReadonlySignal<ViewerState>,
): () => void {
  let wasShowing = false;
  return effect(() => {
    const { kind } = viewer.value;
    const isShowing = kind === "live" || kind === "frozen";
    if (kind === "closed" || kind === "ended" || kind === "withheld") {
      canvas.width = 0; // whatever is assigned to its width empties a canvas
    } else if (wasShowing && !isShowing) {
      // Synchronously, because a video has its last frame only until the end of the task that ends its stream.
      copy(pictureOf(), canvas);
    }
    wasShowing = isShowing;
  });
}

function copy(picture: HTMLVideoElement | HTMLCanvasElement, canvas: HTMLCanvasElement): void {
  const isVideo = "videoWidth" in picture;
  const [width, height] = isVideo
    ? [picture.videoWidth, picture.videoHeight]
    : [picture.width, picture.height];
  if (width > 0) {
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d")?.drawImage(picture, 0, 0);
  }
}
