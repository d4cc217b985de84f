// Plays WebRTC's picture in one video element. Browsers may refuse to play by themselves, to save power or because the
// visitor set them so, and may pause what plays: then the visitor has to tap.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Timers } from "../time/timers";

/** The part of a video element that is used here. */
export type PlayedVideo = Pick<HTMLVideoElement, "srcObject" | "play" | "addEventListener">;

/** A browser that pauses again so soon does not want to play. */
const STEADY_MS = 2000;

export class Player {
  readonly #video: PlayedVideo;
  readonly #timers: Pick<Timers, "now">;
  readonly #isRefused = signal(false);
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #tries = 0;

  constructor(video: PlayedVideo, timers: Pick<Timers, "now">) {
    this.#video = video;
    this.#timers = timers;
    video.addEventListener("pause", () => this.#receivePause());
  }

  /** Whether there is a picture that the browser shows only after a tap. */
  get isRefused(): ReadonlySignal<boolean> {
    return this.#isRefused;
  }

  /** Shows a stream, or none. */
  show(stream: MediaStream | null): void {
    this.#video.srcObject = stream;
    this.#isRefused.value = false;
    if (stream !== null) {
      this.#play();
    }
  }

  /**
   * Plays; to be called within a tap, which is what browsers ask for. Also before there is a picture: an element that
   * has been played by a tap once may play by itself from then on.
   */
  playByTap(): void {
    this.#play();
  }

  /** The page is seen again: a browser that refused because it was not may play now. */
  receiveVisible(): void {
    if (this.#isRefused.value) {
      this.#play();
    }
  }

  #play(): void {
    const stream = this.#video.srcObject;
    const attempt = ++this.#tries;
    const isCurrent = () => attempt === this.#tries && this.#video.srcObject === stream;
    this.#triedAtMs = this.#timers.now();
    this.#video.play().then(
      () => {
        if (isCurrent()) {
          this.#isRefused.value = false;
        }
      },
      (error: unknown) => {
        // others, as AbortError, say that another stream was shown meanwhile
        const isRefusal = error instanceof DOMException && error.name === "NotAllowedError";
        if (isRefusal && stream !== null && isCurrent()) {
          this.#isRefused.value = true;
        }
      },
    );
  }

  /** Nothing here pauses, so the browser did; or the stream has ended. */
  #receivePause(): void {
    const stream = this.#video.srcObject as MediaStream | null;
    if (stream === null || !stream.active) {
      return;
    }
    if (this.#timers.now() - this.#triedAtMs < STEADY_MS) {
      this.#tries++; // what comes of the last one is history
      this.#isRefused.value = true;
    } else {
      this.#play();
    }
  }
}

/** An element that browsers may play by themselves: without sound, and in its place. */
export function createVideo(): HTMLVideoElement {
  const video = document.createElement("video");
  video.className = "picture";
  video.muted = true;
  video.autoplay = true;
  video.playsInline = true;
  video.disablePictureInPicture = true;
  video.setAttribute("muted", ""); // Safari reads these when the element is made
  video.setAttribute("playsinline", "");
  return video;
}
