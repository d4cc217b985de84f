// Keeps the live picture on the page, by two ways that race: the socket's picture comes first, WebRTC's is the better
// one, and each is the other's fallback.
//
//   closed --open--> joining --first frame--> live --no frame for 1 s--> frozen --frame--> live
//
// Joining starts all ways that this browser has. Whichever shows a frame first is shown; once WebRTC has shown one, the
// socket is left. If the way that is shown breaks, the other is started, or goes on alone; if there is none, `waiting`
// leads back to `joining`. While the room shows nothing, it is `withheld` until it is opened again; when the visitor's
// session has ended, it is `ended` for good.
import { type ReadonlySignal, signal } from "@preact/signals";
import { backoffMs } from "../time/backoff";
import type { Cancel, Timers } from "../time/timers";
import { CaptureClock } from "./capture-clock";
import type { StreamEvents, StreamSession } from "./stream";
import { type JoinFailure, type RetriedFailure, type WayName, worstFailure } from "./way";
import { JoinError, type WhepEvents, type WhepSession } from "./whep";

/** At thirty frames a second thirty are missing by then: what is shown is too old to drive by. */
export const FROZEN_MS = 1000;
/** A picture that is frozen for this long will not recover on this connection. */
const REJOIN_MS = 3000;
/** The first frame needs a connection and a key frame; if it takes longer than this, something is broken. */
const FIRST_PICTURE_MS = 6000;
/** WebRTC that is not up by then will not come up: ICE takes some round trips, and a relay a few more. */
export const DIRECT_TIMEOUT_MS = 2500;
/** A frozen picture of WebRTC while the socket's moves: it was not the camera. */
const THAW_MS = 1000;
/** A network that lets no UDP through seldom changes its mind; one that was lost for a moment does. */
const DIRECT_BACKOFF = { firstMs: 10_000, factor: 2, maxMs: 300_000 };
/** After so many failures in a row only a change of the network is a reason to try again. */
const MAX_DIRECT_TRIES = 8;
/** WebRTC that has worked for so long has not been failing in a row. */
const STABLE_MS = 60_000;
/** How often to check that frames still arrive. */
const CHECK_INTERVAL_MS = 200;
/** A check that comes this late means that the page itself was asleep or throttled, so missing frames mean nothing. */
const LATE_CHECK_MS = 600;
/** Nobody sees a hidden page; after this long it stops receiving video. */
const HIDDEN_TIMEOUT_MS = 30_000;
/** If both ways were blocked so often in a row, it is no accident. */
const BLOCKED_ATTEMPTS = 2;
/** If there are too many viewers, no camera picture, or a network that blocks it, quick retries would not help. */
const SLOW_BACKOFF = { firstMs: 4000, factor: 1.5, maxMs: 20_000 };

export type ViewerState =
  | { readonly kind: "closed" }
  /** `after` is why the attempt before this one failed; null for the first. */
  | { readonly kind: "joining"; readonly attempt: number; readonly after: RetriedFailure | null }
  | { readonly kind: "live" }
  | { readonly kind: "frozen" }
  | { readonly kind: "waiting"; readonly failure: RetriedFailure }
  /** The room shows nothing now: until it is opened again. */
  | { readonly kind: "withheld" }
  | { readonly kind: "ended" };

export interface ViewerPorts {
  readonly timers: Timers;
  random(): number;
  /** A name for one picture on this page, whatever the ways it is sent by. */
  newView(): string;
  joinDirect(view: string, events: WhepEvents, signal: AbortSignal): Promise<WhepSession>;
  /** Null where the browser cannot decode: then there is WebRTC alone. */
  readonly joinStream: ((view: string, events: StreamEvents) => StreamSession) | null;
  /** Shows a stream of WebRTC, or none. */
  show(stream: MediaStream | null): void;
  /** Draws a frame of the socket, and closes it. */
  draw(picture: VideoFrame): void;
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

/** One way that is being connected, or has a picture. */
interface Attempt {
  readonly startedAtMs: number;
  hasPicture: boolean;
  lastFrameAtMs: number;
  cancelTimeout: Cancel;
  leave(): void;
}

export class Viewer {
  readonly #ports: ViewerPorts;
  readonly #state = signal<ViewerState>({ kind: "closed" });
  readonly #way = signal<WayName | null>(null);
  readonly #isIndirect = signal(false);
  readonly #attempts = new Map<WayName, Attempt>();
  /** Ways whose picture this browser cannot decode: tried again only if the visitor asks for it. */
  readonly #undecodable = new Set<WayName>();
  #failures: JoinFailure[] = [];
  #captureClock: CaptureClock | null = null;
  #view = "";
  #attempt = 0;
  #directTries = 0;
  #joinedAtMs = 0;
  #lastCheckAtMs = 0;
  #hasAnswer = false;
  #isPaused = false;
  #isVisible = true;
  #isAvailable = true;
  #cancelWait: Cancel = () => {};
  #cancelCheck: Cancel = () => {};
  #cancelHidden: Cancel = () => {};
  #cancelDirect: Cancel = () => {};

  constructor(ports: ViewerPorts) {
    this.#ports = ports;
  }

  get state(): ReadonlySignal<ViewerState> {
    return this.#state;
  }

  /** The way whose picture is on the screen, also while it is frozen or lost; null before the first. */
  get way(): ReadonlySignal<WayName | null> {
    return this.#way;
  }

  /** Whether the picture comes by the socket because WebRTC's does not reach the screen, rather than for the moment. */
  get isIndirect(): ReadonlySignal<boolean> {
    return this.#isIndirect;
  }

  /** Joins, and joins again whenever necessary, until `close`. */
  open(): void {
    this.#attempt = 0;
    this.#directTries = 0;
    this.#undecodable.clear();
    this.#join(null);
  }

  close(): void {
    this.#cancelHidden();
    this.#disconnect();
    this.#ports.show(null);
    this.#state.value = { kind: "closed" };
    this.#way.value = null;
  }

  /** Ends a wait now: the network came back, or the visitor asked. */
  retryNow(): void {
    this.#directTries = 0;
    this.#undecodable.clear();
    if (this.#state.value.kind === "waiting") {
      this.#attempt = 0;
      this.#join(null);
    } else if (this.#isIndirect.value) {
      this.#tryDirectAgain();
    }
  }

  /** A frame of WebRTC reached the screen. */
  receiveFrame(frame: ShownFrame): void {
    if (this.#receiveShown("direct") && this.#captureClock !== null && frame.rtpTimestamp !== null) {
      this.#ports.receiveFrameTimes(this.#captureClock.capturedAtMs(frame.rtpTimestamp), frame.shownAtMs);
    }
  }

  /** A frame of the socket reached the screen. */
  receiveDrawn(capturedAtMs: number, shownAtMs: number): void {
    if (this.#receiveShown("stream")) {
      this.#ports.receiveFrameTimes(capturedAtMs, shownAtMs);
    }
  }

  /** The page was hidden or shown. A hidden page gets no frame callbacks, so frames are not missed meanwhile. */
  receiveVisibility(isVisible: boolean): void {
    this.#isVisible = isVisible;
    this.#excuseMissingFrames();
    this.#cancelHidden();
    if (["closed", "ended", "withheld"].includes(this.#state.value.kind)) {
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
      this.#excuseMissingFrames();
      this.retryNow();
    }
  }

  /** The browser plays WebRTC's picture only once the visitor taps: it is there, and waits. */
  receivePaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#excuseMissingFirst();
  }

  #suspend(): void {
    this.#disconnect();
    this.#state.value = { kind: "waiting", failure: "failed" }; // with no retry timer: until the page is shown again
  }

  #join(after: RetriedFailure | null): void {
    this.#disconnect();
    this.#view = this.#ports.newView();
    this.#failures = [];
    this.#hasAnswer = false;
    this.#state.value = { kind: "joining", attempt: this.#attempt, after };
    this.#joinedAtMs = this.#ports.timers.now();
    this.#lastCheckAtMs = this.#joinedAtMs;
    this.#cancelCheck = this.#ports.timers.after(CHECK_INTERVAL_MS, () => this.#checkFrames());
    this.#startStream(); // first: it needs one message, and making an offer takes a while
    this.#startDirect();
  }

  #startStream(): void {
    if (this.#ports.joinStream === null || this.#attempts.has("stream") || this.#undecodable.has("stream")) {
      return;
    }
    let session: StreamSession | null = null;
    const attempt = this.#newAttempt("stream", () => session?.leave());
    const isCurrent = () => this.#attempts.get("stream") === attempt;
    session = this.#ports.joinStream(this.#view, {
      onPicture: (picture) => (isCurrent() ? this.#ports.draw(picture) : picture.close()),
      onLost: (failure) => isCurrent() && this.#lose("stream", failure),
    });
  }

  #startDirect(): void {
    if (this.#undecodable.has("direct")) {
      return;
    }
    const abort = new AbortController();
    let session: WhepSession | null = null;
    const attempt = this.#newAttempt("direct", () => {
      abort.abort();
      session?.leave();
    });
    if (this.#ports.joinStream !== null) {
      this.#limitDirect(attempt, "blocked", DIRECT_TIMEOUT_MS);
    }
    const events: WhepEvents = {
      onStream: (stream) => abort.signal.aborted || this.#ports.show(stream),
      onLost: () => abort.signal.aborted || this.#lose("direct", attempt.hasPicture ? "failed" : "blocked"),
    };
    this.#ports.joinDirect(this.#view, events, abort.signal).then(
      (joined) => {
        if (abort.signal.aborted) {
          joined.leave(); // closed or replaced while the answer was on its way
          return;
        }
        session = joined;
        this.#hasAnswer = true;
        this.#captureClock = joined.captureAnchor && new CaptureClock(joined.captureAnchor);
      },
      (error) =>
        abort.signal.aborted || this.#lose("direct", error instanceof JoinError ? error.failure : "failed"),
    );
  }

  /** Leaves WebRTC alone for so long, and longer while the socket has no picture either: then the camera has none. */
  #limitDirect(attempt: Attempt, failure: JoinFailure, limitMs: number): void {
    attempt.cancelTimeout = this.#ports.timers.after(limitMs, () => {
      if (this.#attempts.get("stream")?.hasPicture === true) {
        this.#lose("direct", failure);
      } else {
        this.#limitDirect(attempt, failure, limitMs);
      }
    });
  }

  #newAttempt(way: WayName, leave: () => void): Attempt {
    const attempt: Attempt = {
      startedAtMs: this.#ports.timers.now(),
      hasPicture: false,
      lastFrameAtMs: this.#ports.timers.now(),
      cancelTimeout: () => {},
      leave,
    };
    this.#attempts.set(way, attempt);
    return attempt;
  }

  /** A way has shown a frame; returns whether that is the picture on the screen. */
  #receiveShown(way: WayName): boolean {
    const attempt = this.#attempts.get(way);
    if (attempt === undefined) {
      return false;
    }
    const direct = this.#attempts.get("direct");
    attempt.hasPicture = true;
    attempt.lastFrameAtMs = this.#ports.timers.now();
    attempt.cancelTimeout();
    if (way === "direct") {
      this.#leave("stream"); // WebRTC is up, or came back: only one way is sent
      this.#cancelDirect();
      this.#isIndirect.value = false;
    } else if (direct?.hasPicture === true) {
      direct.hasPicture = false; // it is frozen: the socket was started for that
      this.#limitDirect(direct, "failed", THAW_MS);
    }
    this.#attempt = 0;
    this.#failures = [];
    this.#way.value = way;
    if (this.#state.value.kind !== "live") {
      this.#state.value = { kind: "live" };
    }
    return true;
  }

  /** There is no picture by this way, or no more. */
  #lose(way: WayName, failure: JoinFailure): void {
    const wasShown = this.#attempts.get(way)?.hasPicture === true;
    this.#rememberFailure(way, failure);
    if (failure === "no_session" || failure === "withheld") {
      this.#disconnect();
      this.#state.value = { kind: failure === "withheld" ? "withheld" : "ended" };
      return;
    }
    if (wasShown && this.#state.value.kind !== "joining") {
      this.#joinedAtMs = this.#ports.timers.now();
      this.#state.value = { kind: "joining", attempt: this.#attempt, after: null }; // before it is left: its last frame is kept
    }
    this.#leave(way);
    if (way === "direct" && wasShown) {
      this.#startStream();
    }
    const isAlone = way === "stream" && wasShown && this.#isIndirect.value; // WebRTC is only tried again
    if (this.#attempts.size === 0 || isAlone) {
      const failure = worstFailure(this.#failures);
      this.#retry(failure === "blocked" && this.#mayBeAccident() ? "failed" : failure);
    } else if (way === "direct") {
      this.#receiveDirectFailure();
    }
  }

  #rememberFailure(way: WayName, failure: JoinFailure): void {
    this.#failures.push(failure);
    if (failure === "no_codec") {
      this.#undecodable.add(way);
    }
  }

  /** Where there are two ways, hardly a network blocks both. */
  #mayBeAccident(): boolean {
    return this.#ports.joinStream !== null && this.#attempt < BLOCKED_ATTEMPTS;
  }

  /** The socket is the way for now; WebRTC is tried again later. */
  #receiveDirectFailure(): void {
    this.#isIndirect.value = true;
    this.#directTries++;
    this.#scheduleDirect();
  }

  #scheduleDirect(): void {
    this.#cancelDirect();
    if (this.#directTries <= MAX_DIRECT_TRIES && !this.#undecodable.has("direct")) {
      const waitMs = backoffMs(this.#directTries - 1, this.#ports.random(), DIRECT_BACKOFF);
      this.#cancelDirect = this.#ports.timers.after(waitMs, () => this.#tryDirectAgain());
    }
  }

  /** Only while the socket's picture is live: an attempt must not cost what there is. */
  #tryDirectAgain(): void {
    if (this.#attempts.has("direct")) {
      return;
    }
    if (this.#state.value.kind === "live" && this.#isVisible) {
      this.#startDirect();
    } else {
      this.#scheduleDirect();
    }
  }

  #retry(failure: RetriedFailure): void {
    const attempt = this.#attempt++;
    this.#state.value = { kind: "waiting", failure };
    this.#disconnect();
    if (failure === "no_codec") {
      return; // it would be the same
    }
    const waitMs = backoffMs(attempt, this.#ports.random(), failure === "failed" ? undefined : SLOW_BACKOFF);
    this.#cancelWait = this.#ports.timers.after(waitMs, () => this.#join(failure));
  }

  #leave(way: WayName): void {
    const attempt = this.#attempts.get(way);
    this.#attempts.delete(way);
    attempt?.cancelTimeout();
    attempt?.leave();
    if (way === "direct") {
      this.#captureClock = null;
      if (attempt !== undefined && attempt.lastFrameAtMs - attempt.startedAtMs > STABLE_MS) {
        this.#directTries = 0;
      }
    }
  }

  #disconnect(): void {
    this.#cancelWait();
    this.#cancelCheck();
    this.#cancelDirect();
    this.#leave("stream");
    this.#leave("direct");
    this.#isIndirect.value = false;
  }

  #checkFrames(): void {
    const nowMs = this.#ports.timers.now();
    if (!this.#isVisible || nowMs - this.#lastCheckAtMs > LATE_CHECK_MS) {
      this.#excuseMissingFrames();
    }
    this.#lastCheckAtMs = nowMs;
    const { kind } = this.#state.value;
    const missingMs = nowMs - this.#lastFrameAtMs();
    if (this.#isAvailable && missingMs > (kind === "joining" ? FIRST_PICTURE_MS : REJOIN_MS)) {
      this.#retry(kind === "joining" ? this.#failureToShow() : "failed");
      return;
    }
    if (kind === "live" && missingMs > FROZEN_MS) {
      this.#state.value = { kind: "frozen" };
      if (this.#way.value === "direct" && this.#isAvailable) {
        this.#startStream();
      }
    }
    this.#cancelCheck = this.#ports.timers.after(CHECK_INTERVAL_MS, () => this.#checkFrames());
  }

  /** When the newest frame came; while there is none, when this joining began, or last had a reason to wait. */
  #lastFrameAtMs(): number {
    if (this.#isPaused) {
      this.#excuseMissingFirst();
    }
    const shown = [...this.#attempts.values()].filter((attempt) => attempt.hasPicture);
    return this.#state.value.kind === "joining"
      ? this.#joinedAtMs
      : Math.max(...shown.map((each) => each.lastFrameAtMs));
  }

  /** Why no frame comes of what was joined: the server has answered, so the network is in the way, or it has not. */
  #failureToShow(): RetriedFailure {
    const hasAnswer = this.#hasAnswer || this.#ports.joinStream === null;
    return hasAnswer && !this.#mayBeAccident() ? "blocked" : "failed";
  }

  /** The first picture takes as long as it takes. */
  #excuseMissingFirst(): void {
    this.#joinedAtMs = this.#ports.timers.now();
  }

  #excuseMissingFrames(): void {
    const nowMs = this.#ports.timers.now();
    this.#joinedAtMs = nowMs;
    for (const attempt of this.#attempts.values()) {
      attempt.lastFrameAtMs = nowMs;
    }
  }
}
