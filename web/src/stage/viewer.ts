// Keeps the live picture on the page, by ways in the order of the house. Two of them race: the socket's picture comes
// first, WebRTC's is the better one, and each is the other's fallback. Amazon IVS is tried alone, before or after them.
//
//   closed --open--> joining --first frame--> live --no frame for 1 s--> frozen --frame--> live
//
// Joining starts all ways of a step that this browser has; if there is no picture by any, the next step follows, and
// after the last one `waiting`. Whichever shows a frame first is shown; once WebRTC has shown one, the socket is left. If
// the way that is shown breaks, the other is started, or goes on alone; if there is none, `waiting` leads back to `joining`.
// While the room shows nothing, it is `withheld` until it is opened again; when the session has ended, `ended` for good.
import { type ReadonlySignal, signal } from "@preact/signals";
import { backoffMs } from "../time/backoff";
import type { Cancel } from "../time/timers";
import { CaptureClock } from "./capture-clock";
import type { IvsEvents } from "./ivs";
import { JoinFailures } from "./join-failures";
import type { StreamSession } from "./stream";
import type { ShownFrame, ViewerPorts, ViewerState } from "./viewer-ports";
import { type JoinFailure, type RetriedFailure, stepsOf, USUAL_WAYS, type WayName } from "./way";
import { JoinError, type StageVoice, type WhepEvents } from "./whep";

/** At thirty frames a second thirty are missing by then: what is shown is too old to drive by. */
export const FROZEN_MS = 1000;
/** A picture that is frozen for this long will not recover on this connection. */
const REJOIN_MS = 3000;
/** The first frame needs a connection and a key frame; if it takes longer than this, something is broken. */
const FIRST_PICTURE_MS = 6000;
/** The same where another step follows, which may do better. */
export const STEP_MS = 4000;
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
  /** The sound of the connection by WebRTC; null while there is none. To be read only. */
  readonly voice = signal<StageVoice | null>(null);
  readonly #attempts = new Map<WayName, Attempt>();
  readonly #failures = new JoinFailures();
  readonly #steps: readonly (readonly WayName[])[];
  #step = 0;
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
    this.#steps = stepsOf(
      (ports.ways ?? USUAL_WAYS).filter((way) => way !== "stream" || ports.joinStream !== null),
    );
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
    this.#failures.forget();
    this.#join();
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
    this.#failures.forget();
    if (this.#state.value.kind === "waiting") {
      this.#attempt = 0;
      this.#join();
    } else if (this.#isIndirect.value) {
      this.#tryDirectAgain();
    }
  }

  /** A frame of WebRTC reached the screen. */
  receiveFrame(frame: ShownFrame): void {
    const way = this.#attempts.has("ivs") ? "ivs" : "direct";
    if (this.#receiveShown(way) && this.#captureClock !== null && frame.rtpTimestamp !== null) {
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
    this.#joinedAtMs = this.#ports.timers.now(); // the first picture takes as long as it takes
  }

  #suspend(): void {
    this.#disconnect();
    this.#state.value = { kind: "waiting", failure: "failed" }; // with no retry timer: until the page is shown again
  }

  #join(step = 0, after: RetriedFailure | null = null): void {
    this.#disconnect();
    this.#view = this.#ports.newView();
    this.#step = step;
    this.#hasAnswer = false;
    if (step === 0) {
      this.#failures.reset();
    }
    this.#state.value = { kind: "joining", attempt: this.#attempt, after };
    this.#joinedAtMs = this.#ports.timers.now();
    this.#lastCheckAtMs = this.#joinedAtMs;
    this.#cancelCheck = this.#ports.timers.after(CHECK_INTERVAL_MS, () => this.#checkFrames());
    this.#startStream(); // first: it needs one message, and making an offer takes a while
    this.#startDirect();
    this.#startIvs();
    if (this.#attempts.size === 0) {
      this.#retry(this.#failures.lacksCodec ? "no_codec" : "blocked");
    }
  }

  /** Whether this way is to be tried now. */
  #has(way: WayName): boolean {
    return this.#steps[this.#step]?.includes(way) === true && !this.#failures.isUndecodable(way);
  }

  #startStream(): void {
    if (this.#ports.joinStream === null || !this.#has("stream") || this.#attempts.has("stream")) {
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
    if (!this.#has("direct")) {
      return;
    }
    const attempt = this.#startWebRtc(
      "direct",
      (events, signal) => this.#ports.joinDirect(this.#view, events, signal),
      ({ captureAnchor, voice }) => {
        this.#hasAnswer = true;
        this.voice.value = voice;
        this.#captureClock = captureAnchor && new CaptureClock(captureAnchor);
      },
    );
    if (this.#has("stream")) {
      this.#limitDirect(attempt, "blocked", DIRECT_TIMEOUT_MS);
    }
  }

  #startIvs(): void {
    const { joinIvs } = this.#ports;
    if (this.#has("ivs") && joinIvs !== undefined) {
      this.#startWebRtc("ivs", (events, signal) => joinIvs(this.#view, events, signal));
    }
  }

  #startWebRtc<Session extends { leave(): void }>(
    way: "direct" | "ivs",
    join: (events: WhepEvents & IvsEvents, signal: AbortSignal) => Promise<Session>,
    onJoined: (session: Session) => void = () => {},
  ): Attempt {
    const abort = new AbortController();
    let session: Session | null = null;
    const attempt = this.#newAttempt(way, () => {
      abort.abort();
      session?.leave();
    });
    const lost = (failure?: JoinFailure) => failure ?? (attempt.hasPicture ? "failed" : "blocked");
    const events = {
      onStream: (stream: MediaStream) => abort.signal.aborted || this.#ports.show(stream),
      onLost: (failure?: JoinFailure) => abort.signal.aborted || this.#lose(way, lost(failure)),
    };
    join(events, abort.signal).then(
      (joined) => {
        if (abort.signal.aborted) {
          joined.leave(); // closed or replaced while the answer was on its way
          return;
        }
        session = joined;
        onJoined(joined);
      },
      (error) =>
        abort.signal.aborted || this.#lose(way, error instanceof JoinError ? error.failure : "failed"),
    );
    return attempt;
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
    this.#failures.reset();
    this.#way.value = way;
    if (this.#state.value.kind !== "live") {
      this.#state.value = { kind: "live" };
    }
    return true;
  }

  /** There is no picture by this way, or no more. */
  #lose(way: WayName, failure: JoinFailure): void {
    const wasShown = this.#attempts.get(way)?.hasPicture === true;
    this.#failures.receive(way, failure);
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
    if (wasShown) {
      this.#replace(way);
    }
    const isAlone = way === "stream" && wasShown && this.#isIndirect.value; // WebRTC is only tried again
    if (this.#attempts.size === 0 || isAlone) {
      const failure = this.#failures.worst;
      this.#retry(failure === "blocked" && this.#mayBeAccident() ? "failed" : failure);
    } else if (way === "direct") {
      this.#receiveDirectFailure();
    }
  }

  /** Where there are two ways, hardly a network blocks both. */
  #mayBeAccident(): boolean {
    return this.#has("stream") && this.#attempt < BLOCKED_ATTEMPTS;
  }

  /** Starts what is to show the picture instead of a way that showed it. */
  #replace(way: WayName): void {
    if (way === "direct") {
      this.#startStream();
    } else if (way === "ivs") {
      this.#startIvs(); // with a new token
    }
  }

  /** The socket is the way for now; WebRTC is tried again later. */
  #receiveDirectFailure(): void {
    this.#isIndirect.value = true;
    this.#directTries++;
    this.#scheduleDirect();
  }

  #scheduleDirect(): void {
    this.#cancelDirect();
    if (this.#directTries <= MAX_DIRECT_TRIES && this.#has("direct")) {
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

  /** The next step, at once; after the last, or where no way would help, the first after a while. */
  #retry(failure: RetriedFailure): void {
    if (failure !== "no_picture" && this.#step + 1 < this.#steps.length) {
      const after = this.#state.value.kind === "joining" ? this.#state.value.after : null;
      this.#state.value = { kind: "joining", attempt: this.#attempt, after }; // before it is left: its last frame is kept
      this.#join(this.#step + 1, after);
      return;
    }
    const attempt = this.#attempt++;
    this.#state.value = { kind: "waiting", failure };
    this.#disconnect();
    if (failure === "no_codec") {
      return; // it would be the same
    }
    const waitMs = backoffMs(attempt, this.#ports.random(), failure === "failed" ? undefined : SLOW_BACKOFF);
    this.#cancelWait = this.#ports.timers.after(waitMs, () => this.#join(0, failure));
  }

  #leave(way: WayName): void {
    const attempt = this.#attempts.get(way);
    this.#attempts.delete(way);
    attempt?.cancelTimeout();
    attempt?.leave();
    if (way === "direct") {
      this.#captureClock = null;
      this.voice.value = null;
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
    this.#leave("ivs");
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
    if (this.#isAvailable && missingMs > (kind === "joining" ? this.#firstPictureMs() : REJOIN_MS)) {
      this.#retry(kind === "joining" ? this.#failureToShow() : "failed");
      return;
    }
    kind === "live" && missingMs > FROZEN_MS && this.#receiveFrozen();
    this.#cancelCheck = this.#ports.timers.after(CHECK_INTERVAL_MS, () => this.#checkFrames());
  }

  /** When the newest frame came; while there is none, when this joining began, or last had a reason to wait. */
  #lastFrameAtMs(): number {
    if (this.#isPaused) {
      this.#joinedAtMs = this.#ports.timers.now();
    }
    const shown = [...this.#attempts.values()].filter((attempt) => attempt.hasPicture);
    return this.#state.value.kind === "joining"
      ? this.#joinedAtMs
      : Math.max(...shown.map((each) => each.lastFrameAtMs));
  }

  /** Why no frame comes of what was joined: the server has answered, so the network is in the way, or it has not. */
  #failureToShow(): RetriedFailure {
    const hasAnswer = this.#hasAnswer || !this.#has("stream");
    return this.#has("direct") && hasAnswer && !this.#mayBeAccident() ? "blocked" : "failed";
  }

  #firstPictureMs(): number {
    return this.#step + 1 < this.#steps.length ? STEP_MS : FIRST_PICTURE_MS;
  }

  #receiveFrozen(): void {
    this.#state.value = { kind: "frozen" };
    if (this.#way.value === "direct" && this.#isAvailable) {
      this.#startStream();
    } else if (this.#way.value === "ivs" && this.#isAvailable) {
      this.#lose("ivs", "failed"); // what the SDK would do by itself takes too long
    }
  }

  #excuseMissingFrames(): void {
    const nowMs = this.#ports.timers.now();
    this.#joinedAtMs = nowMs;
    for (const attempt of this.#attempts.values()) {
      attempt.lastFrameAtMs = nowMs;
    }
  }
}
