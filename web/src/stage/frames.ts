// Reports every video frame that reaches the screen.

/** A video frame that reached the screen. */
export interface ShownFrame {
  /** When it was displayed, on the page's clock. */
  readonly shownAtMs: number;
  /** Null if the browser does not report it. */
  readonly rtpTimestamp: number | null;
}

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
      receive({ shownAtMs: metadata.expectedDisplayTime, rtpTimestamp: metadata.rtpTimestamp ?? null });
    });
  };
  next();
  return () => video.cancelVideoFrameCallback(id);
}

/** For browsers without frame callbacks: `timeupdate` fires a few times a second while frames arrive. */
function watchTimeUpdates(video: HTMLVideoElement, receive: (frame: ShownFrame) => void): () => void {
  const onTime = () => receive({ shownAtMs: performance.now(), rtpTimestamp: null });
  video.addEventListener("timeupdate", onTime);
  return () => video.removeEventListener("timeupdate", onTime);
}
