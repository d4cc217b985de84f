// Keeps a picture on the page: joins, notices when it stands still or breaks, and joins again by itself.
import { type ReadonlySignal, signal } from "@preact/signals";
import { backoffMs } from "../time/backoff";
import type { Cancel, Timers } from "../time/timers";
import { type CaptureAnchor, CaptureClock } from "./capture-clock";
import { JoinError, type JoinFailure, type Viewing, type WhepEvents } from "./whep";

/** Thirty pictures missed: nobody may turn the head by what they see now. */
export const FROZEN_MS = 1000;
/** A picture that stands this long will not come back on this connection. */
const REJOIN_MS = 3000;
/** The first picture needs a connection and a key frame; without it in this time something is in the way. */
const FIRST_PICTURE_MS = 6000;
/** How often to look whether the picture still moves. */
const LOOK_MS = 200;
/** A look that comes this late means that the page itself slept, and says nothing about the picture. */
const SLEPT_MS = 600;
/** Nobody looks at a hidden page; after this long the stream is given back. */
const HIDDEN_MS = 30_000;
/** A house that is full, or has no picture, is asked again in peace. */
const PATIENT = { firstMs: 4000, factor: 1.5, maxMs: 20_000 };

export type ViewerState =
  | { readonly kind: "closed" }
  | { readonly kind: "joining"; readonly attempt: number }
  | { readonly kind: "live" }
  | { readonly kind: "frozen" }
  | { readonly kind: "waiting"; readonly failure: Exclude<JoinFailure, "not_welcome"> }
  | { readonly kind: "ended" };

export interface ViewerPorts {
  readonly timers: Timers;
  random(): number;
  join(events: WhepEvents, signal: AbortSignal): Promise<Viewing>;
  /** Puts a stream on the screen, or takes it away. */
  show(stream: MediaStream | null): void;
  /** How long after its capture a picture was shown, where that can be said. */
  receiveGlass(capturedAtMs: number, shownAtMs: number): void;
}

/** One picture as it reaches the screen. */
export interface ShownFrame {
  /** When it is on the glass, on the page's clock. */
  readonly shownAtMs: number;
  /** Its RTP time stamp, where the browser tells. */
  readonly rtp: number | null;
}

export class Viewer {
  readonly #ports: ViewerPorts;
  readonly #state = signal<ViewerState>({ kind: "closed" });
  #abort = new AbortController();
  #viewing: Viewing | null = null;
  #clock: CaptureClock | null = null;
  #attempt = 0;
  #lastFrameAtMs = 0;
  #lastCheckAtMs = 0;
  #isVisible = true;
  #cancelWait: Cancel = () => {};
  #cancelLook: Cancel = () => {};
  #cancelHidden: Cancel = () => {};

  constructor(ports: ViewerPorts) {
    this.#ports = ports;
  }

  get state(): ReadonlySignal<ViewerState> {
    return this.#state;
  }

  /** Gets the picture and keeps it until `close`. */
  open(): void {
    this.#attempt = 0;
    this.#join();
  }

  close(): void {
    this.#cancelHidden();
    this.#drop();
    this.#ports.show(null);
    this.#state.value = { kind: "closed" };
  }

  /** The network came back, or the visitor asks: no more waiting. */
  retryNow(): void {
    if (this.#state.value.kind === "waiting") {
      this.#attempt = 0;
      this.#join();
    }
  }

  /** A picture reached the screen. */
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
    if (this.#clock !== null && frame.rtp !== null) {
      this.#ports.receiveGlass(this.#clock.capturedAtMs(frame.rtp), frame.shownAtMs);
    }
  }

  /** The page was hidden, or is seen again. Hidden pages show no frames, so they are not missed meanwhile. */
  receiveVisible(isVisible: boolean): void {
    this.#isVisible = isVisible;
    this.#lastFrameAtMs = this.#ports.timers.now();
    this.#cancelHidden();
    if (this.#state.value.kind === "closed" || this.#state.value.kind === "ended") {
      return;
    }
    if (!isVisible) {
      this.#cancelHidden = this.#ports.timers.after(HIDDEN_MS, () => this.#rest());
    } else if (this.#state.value.kind === "waiting") {
      this.retryNow();
    }
  }

  #rest(): void {
    this.#drop();
    this.#state.value = { kind: "waiting", failure: "failed" }; // until the page is seen again
  }

  #join(): void {
    this.#drop();
    this.#state.value = { kind: "joining", attempt: this.#attempt };
    this.#lastFrameAtMs = this.#ports.timers.now();
    this.#lastCheckAtMs = this.#lastFrameAtMs;
    this.#cancelLook = this.#ports.timers.after(LOOK_MS, () => this.#look());
    void this.#ask(this.#abort.signal);
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const onStream = (stream: MediaStream) => signal.aborted || this.#ports.show(stream);
    const onLost = () => signal.aborted || this.#retry("failed");
    try {
      const viewing = await this.#ports.join({ onStream, onLost }, signal);
      if (signal.aborted) {
        viewing.leave();
        return;
      }
      this.#viewing = viewing;
      this.#clock = clockOf(viewing.captureAnchor);
    } catch (error) {
      if (!signal.aborted) {
        this.#retry(error instanceof JoinError ? error.failure : "failed");
      }
    }
  }

  #retry(failure: JoinFailure): void {
    this.#drop();
    if (failure === "not_welcome") {
      this.#state.value = { kind: "ended" };
      return;
    }
    const attempt = this.#attempt++;
    this.#state.value = { kind: "waiting", failure };
    const waitMs = backoffMs(attempt, this.#ports.random(), failure === "failed" ? undefined : PATIENT);
    this.#cancelWait = this.#ports.timers.after(waitMs, () => this.#join());
  }

  #drop(): void {
    this.#cancelWait();
    this.#cancelLook();
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#viewing?.leave();
    this.#viewing = null;
    this.#clock = null;
  }

  #look(): void {
    const nowMs = this.#ports.timers.now();
    if (!this.#isVisible || nowMs - this.#lastCheckAtMs > SLEPT_MS) {
      this.#lastFrameAtMs = nowMs;
    }
    this.#lastCheckAtMs = nowMs;
    const stillMs = nowMs - this.#lastFrameAtMs;
    const kind = this.#state.value.kind;
    if (stillMs > (kind === "joining" ? FIRST_PICTURE_MS : REJOIN_MS)) {
      this.#retry("failed");
      return;
    }
    if (kind === "live" && stillMs > FROZEN_MS) {
      this.#state.value = { kind: "frozen" };
    }
    this.#cancelLook = this.#ports.timers.after(LOOK_MS, () => this.#look());
  }
}

function clockOf(anchor: CaptureAnchor | null): CaptureClock | null {
  return anchor === null ? null : new CaptureClock(anchor);
}
