// Measures the true delays of a visit: from the hand to the radio, and from the camera to the screen.
import { ClockOffset } from "../time/clock-offset";
import { LatencyWindow } from "../time/latency-window";
import type { Timers } from "../time/timers";
import type { Ack } from "../wire/messages";

/** Medians of a few seconds in milliseconds; null where nothing was measured. */
export interface Figures {
  /** From the hand to the radio; while nobody drives, what it was at the end of the last drive. */
  readonly commandMs: number | null;
  /** From the camera to this screen. */
  readonly pictureMs: number | null;
  /** To the server and back. */
  readonly roundTripMs: number | null;
}

export const NO_FIGURES: Figures = { commandMs: null, pictureMs: null, roundTripMs: null };

export class Meter {
  readonly #timers: Pick<Timers, "now">;
  readonly #offset = new ClockOffset();
  readonly #command: LatencyWindow;
  readonly #glass: LatencyWindow;
  #lastCommandMs: number | null = null;

  constructor(timers: Pick<Timers, "now">) {
    this.#timers = timers;
    this.#command = new LatencyWindow(timers);
    this.#glass = new LatencyWindow(timers);
  }

  /** The server answered what was sent at `clientMs` (page's clock), and its own clock said `serverMs`. */
  receiveAnswer(clientMs: number, serverMs: number): void {
    this.#offset.receivePong(clientMs, serverMs, this.#timers.now());
  }

  receiveAck(ack: Ack): void {
    if (this.#offset.offsetMs !== null) {
      this.#command.add(ack.written - (ack.clock + this.#offset.offsetMs));
    }
  }

  /** A picture captured at `capturedAtMs` (server's clock) was on the screen at `shownAtMs` (page's clock). */
  receivePicture(capturedAtMs: number, shownAtMs: number): void {
    if (this.#offset.offsetMs !== null) {
      this.#glass.add(shownAtMs + this.#offset.offsetMs - capturedAtMs);
    }
  }

  /** The next server's clock may have begun anew, and the way to it may be another. */
  forgetClock(): void {
    this.#offset.reset();
    this.#command.reset();
    this.#glass.reset();
    this.#lastCommandMs = null;
  }

  get roundTripMs(): number | null {
    return this.#offset.roundTripMs;
  }

  figures(): Figures {
    this.#lastCommandMs = this.#command.summary()?.medianMs ?? this.#lastCommandMs;
    return {
      commandMs: this.#lastCommandMs,
      pictureMs: this.#glass.summary()?.medianMs ?? null,
      roundTripMs: this.roundTripMs,
    };
  }
}
