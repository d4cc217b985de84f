// Reports every video frame that reaches the screen.
import type { ShownFrame } from "./viewer-ports";

/** Chromium adds the RTP timestamp for frames received over WebRTC. */
type Metadata = VideoFrameCallbackMetadata & { readonly rtpTimestamp?: number };

/** Calls `receive` for each frame shown by `video`; returns a function that stops it. */
export function watchFrames(video: HTMLVideoElement, receive: (frame: ShownFrame) => void): () => void {
  if (video.requestVideoFrameCallback === undefined) {
    return watchTimeUpdates(video, receive);
  }
  let id = 0;
  const next = () => {
    id = video.requestVideoFrameCallback((_now, metadata: Metadata) => {
      next();
      if (video.paused) {
        return; // a picture that stands still, even where the browser goes on counting
      }
      receive({ shownAtMs: metadata.expectedDisplayTime, rtpTimestamp: metadata.rtpTimestamp ?? null });
    });
  };
  next();
  return () => video.cancelVideoFrameCallback(id);
}

/** For browsers without frame callbacks: `timeupdate` fires a few times a second while frames arrive. */
function watchTimeUpdates(video: HTMLVideoElement, receive: (frame: ShownFrame) => void): () => void {
  const onTime = () => video.paused || receive({ shownAtMs: performance.now(), rtpTimestamp: null });
  video.addEventListener("timeupdate", onTime);
  return () => video.removeEventListener("timeupdate", onTime);
}
