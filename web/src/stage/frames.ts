// Tells of every picture that reaches the screen.
import type { ShownFrame } from "./viewer";

/** What Chromium adds for pictures that came over WebRTC. */
type Metadata = VideoFrameCallbackMetadata & { readonly rtpTimestamp?: number };

/** Calls `receive` for each frame shown by `video`; returns what ends that. */
export function watchFrames(video: HTMLVideoElement, receive: (frame: ShownFrame) => void): () => void {
  if (video.requestVideoFrameCallback === undefined) {
    return watchTime(video, receive);
  }
  let id = 0;
  const next = () => {
    id = video.requestVideoFrameCallback((_now, metadata: Metadata) => {
      next();
      receive({ shownAtMs: metadata.expectedDisplayTime, rtp: metadata.rtpTimestamp ?? null });
    });
  };
  next();
  return () => video.cancelVideoFrameCallback(id);
}

/** For browsers without frame callbacks: the video's own time moves while pictures come. */
function watchTime(video: HTMLVideoElement, receive: (frame: ShownFrame) => void): () => void {
  const onTime = () => receive({ shownAtMs: performance.now(), rtp: null });
  video.addEventListener("timeupdate", onTime);
  return () => video.removeEventListener("timeupdate", onTime);
}
