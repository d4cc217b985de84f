// Keeps the live picture on the page: joins the stage, notices when the picture freezes or is lost, and joins again.
//
//   closed --open--> joining --first frame--> live --no frame for 1 s--> frozen --frame--> live
//
// Any failure leads to `waiting`, and from there back to `joining`; when the visitor's session has ended, it is `ended`
// for good.
import { type ReadonlySignal, signal } from "@preact/signals";
import { backoffMs } from "../time/backoff";
import type { Cancel, Timers } from "../time/timers";
import { type CaptureAnchor, CaptureClock } from "./capture-clock";
import { JoinError, type JoinFailure, type WhepEvents, type WhepSession } from "./whep";

/** At thirty frames a second thirty are missing by then: what is shown is too old to drive by. */
export const FROZEN_MS = 1000;
/** A picture that is frozen for this long will not recover on this connection. */
const REJOIN_MS = 3000;
/** The first frame needs a connection and a key frame; if it takes longer than this, something is broken. */
const FIRST_PICTURE_MS = 6000;
/** How often to check that frames still arrive. */
const CHECK_INTERVAL_MS = 200;
/** A check that comes this late means that the page itself was asleep or throttled, so missing frames mean nothing. */
const LATE_CHECK_MS = 600;
/** Nobody sees a hidden page; after this long it stops receiving video. */
const HIDDEN_TIMEOUT_MS = 30_000;
/** If there are too many viewers or no camera picture, quick retries would not help. */
const SLOW_BACKOFF = { firstMs: 4000, factor: 1.5, maxMs: 20_000 };

export type ViewerState =
  | { readonly kind: "closed" }
  | { readonly kind: "joining"; readonly attempt: number }
  | { readonly kind: "live" }
  | { readonly kind: "frozen" }
  | { readonly kind: "waiting"; readonly failure: Exclude<JoinFailure, "no_session"> }
  | { readonly kind: "ended" };

export interface ViewerPorts {
  readonly timers: Timers;
  random(): number;
  join(events: WhepEvents, signal: AbortSignal): Promise<WhepSession>;
  /** Shows a stream, or none. */
  show(stream: MediaStream | null): void;
  /** A frame was captured at `capturedAtMs` (server's clock) and shown at `shownAtMs` (page's clock). */
  receiveFrameTimes(capturedAtMs: number, shownAtMs: number): void;
}

/** A video frame that reached the screen. */
export interface ShownFrame {
  /** When it was displayed, on the page's clock. */
  readonly shownAtMs: number;
  /** Null if the browser does not report it. */
  readonly rtpTimestamp: number | null;
}

export class Viewer {
  readonly #ports: ViewerPorts;
  readonly #state = signal<ViewerState>({ kind: "closed" });
  #abort = new AbortController();
  #session: WhepSession | null = null;
  #captureClock: CaptureClock | null = null;
  #attempt = 0;
  #lastFrameAtMs = 0;
  #lastCheckAtMs = 0;
  #isVisible = true;
  #isAvailable = true;
  #cancelWait: Cancel = () => {};
  #cancelCheck: Cancel = () => {};
  #cancelHidden: Cancel = () => {};

  constructor(ports: ViewerPorts) {
    this.#ports = ports;
  }

  get state(): ReadonlySignal<ViewerState> {
    return this.#state;
  }

  /** Joins, and joins again whenever necessary, until `close`. */
  open(): void {
    this.#attempt = 0;
    this.#join();
  }

  close(): void {
    this.#cancelHidden();
    this.#disconnect();
    this.#ports.show(null);
    this.#state.value = { kind: "closed" };
  }

  /** Ends a wait now: the network came back, or the visitor asked. */
  retryNow(): void {
    if (this.#state.value.kind === "waiting") {
      this.#attempt = 0;
      this.#join();
    }
  }

  /** A frame reached the screen. */
  receiveFrame(frame: ShownFrame): void {
    const kind = this.#state.value.kind;
    if (kind !== "joining" && kind !== "live" && kind !== "frozen") {
      return;
    }
    this.#lastFrameAtMs = this.#ports.timers.now();
    if (kind !== "live") {
      this.#attempt = 0;
      this.#state.value = { kind: "live" };
    }
    if (this.#captureClock !== null && frame.rtpTimestamp !== null) {
      this.#ports.receiveFrameTimes(this.#captureClock.capturedAtMs(frame.rtpTimestamp), frame.shownAtMs);
    }
  }

  /** The page was hidden or shown. A hidden page gets no frame callbacks, so frames are not missed meanwhile. */
  receiveVisibility(isVisible: boolean): void {
    this.#isVisible = isVisible;
    this.#lastFrameAtMs = this.#ports.timers.now();
    this.#cancelHidden();
    if (this.#state.value.kind === "closed" || this.#state.value.kind === "ended") {
      return;
    }
    if (!isVisible) {
      this.#cancelHidden = this.#ports.timers.after(HIDDEN_TIMEOUT_MS, () => this.#suspend());
    } else if (this.#state.value.kind === "waiting") {
      this.retryNow();
    }
  }

  /**
   * The server says whether the camera has a picture. While it has none, the connection is not to blame, so it is kept:
   * the picture comes back on it.
   */
  receiveAvailability(isAvailable: boolean): void {
    if (isAvailable === this.#isAvailable) {
      return;
    }
    this.#isAvailable = isAvailable;
    if (isAvailable) {
      this.#lastFrameAtMs = this.#ports.timers.now();
      this.retryNow();
    }
  }

  #suspend(): void {
    this.#disconnect();
    this.#state.value = { kind: "waiting", failure: "failed" }; // with no retry timer: until the page is shown again
  }

  #join(): void {
    this.#disconnect();
    this.#state.value = { kind: "joining", attempt: this.#attempt };
    this.#lastFrameAtMs = this.#ports.timers.now();
    this.#lastCheckAtMs = this.#lastFrameAtMs;
    this.#cancelCheck = this.#ports.timers.after(CHECK_INTERVAL_MS, () => this.#checkFrames());
    void this.#negotiate(this.#abort.signal);
  }

  async #negotiate(signal: AbortSignal): Promise<void> {
    const onStream = (stream: MediaStream) => signal.aborted || this.#ports.show(stream);
    const onLost = () => signal.aborted || this.#retry("failed");
    try {
      const session = await this.#ports.join({ onStream, onLost }, signal);
      if (signal.aborted) {
        session.leave(); // closed or replaced while the answer was on its way
        return;
      }
      this.#session = session;
      this.#captureClock = clockOf(session.captureAnchor);
    } catch (error) {
      if (!signal.aborted) {
        this.#retry(error instanceof JoinError ? error.failure : "failed");
      }
    }
  }

  #retry(failure: JoinFailure): void {
    this.#disconnect();
    if (failure === "no_session") {
      this.#state.value = { kind: "ended" };
      return;
    }
    const attempt = this.#attempt++;
    this.#state.value = { kind: "waiting", failure };
    const waitMs = backoffMs(attempt, this.#ports.random(), failure === "failed" ? undefined : SLOW_BACKOFF);
    this.#cancelWait = this.#ports.timers.after(waitMs, () => this.#join());
  }

  #disconnect(): void {
    this.#cancelWait();
    this.#cancelCheck();
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#session?.leave();
    this.#session = null;
    this.#captureClock = null;
  }

  #checkFrames(): void {
    const nowMs = this.#ports.timers.now();
    if (!this.#isVisible || nowMs - this.#lastCheckAtMs > LATE_CHECK_MS) {
      this.#lastFrameAtMs = nowMs;
    }
    this.#lastCheckAtMs = nowMs;
    const missingMs = nowMs - this.#lastFrameAtMs;
    const kind = this.#state.value.kind;
    if (this.#isAvailable && missingMs > (kind === "joining" ? FIRST_PICTURE_MS : REJOIN_MS)) {
      this.#retry("failed");
      return;
    }
    if (kind === "live" && missingMs > FROZEN_MS) {
      this.#state.value = { kind: "frozen" };
    }
    this.#cancelCheck = this.#ports.timers.after(CHECK_INTERVAL_MS, () => this.#checkFrames());
  }
}

function clockOf(anchor: CaptureAnchor | null): CaptureClock | null {
  return anchor === null ? null : new CaptureClock(anchor);
}
