// Measures the true delays of a visit: from the hand to the radio, and from the camera to the screen.
import { ClockOffset } from "../time/clock-offset";
import { Latency } from "../time/latency";
import type { Timers } from "../time/timers";
import type { Ack } from "../wire/messages";

/** Medians of a few seconds in milliseconds; null where nothing was measured. */
export interface Figures {
  /** From the hand to the radio; while nobody drives, what it was at the end of the last drive. */
  readonly command_ms: number | null;
  /** From the camera to this screen. */
  readonly glass_ms: number | null;
  /** To the server and back. */
  readonly roundTrip_ms: number | null;
}

export const NO_FIGURES: Figures = { command_ms: null, glass_ms: null, roundTrip_ms: null };

export class Meter {
  readonly #timers: Pick<Timers, "now">;
  readonly #offset = new ClockOffset();
  readonly #command: Latency;
  readonly #glass: Latency;
  #lastCommand_ms: number | null = null;

  constructor(timers: Pick<Timers, "now">) {
    this.#timers = timers;
    this.#command = new Latency(timers);
    this.#glass = new Latency(timers);
  }

  /** The server answered what was sent at `clock_ms` (page's clock), and its own clock said `server_ms`. */
  receiveAnswer(clock_ms: number, server_ms: number): void {
    this.#offset.receivePong(clock_ms, server_ms, this.#timers.now());
  }

  receiveAck(ack: Ack): void {
    if (this.#offset.offset_ms !== null) {
      this.#command.add(ack.written - (ack.clock + this.#offset.offset_ms));
    }
  }

  /** A picture captured at `captured_ms` (server's clock) was on the screen at `shown_ms` (page's clock). */
  receivePicture(captured_ms: number, shown_ms: number): void {
    if (this.#offset.offset_ms !== null) {
      this.#glass.add(shown_ms + this.#offset.offset_ms - captured_ms);
    }
  }

  /** The next server's clock may have begun anew, and the way to it may be another. */
  forgetClock(): void {
    this.#offset.forget();
    this.#command.forget();
    this.#glass.forget();
    this.#lastCommand_ms = null;
  }

  get roundTrip_ms(): number | null {
    return this.#offset.roundTrip_ms;
  }

  figures(): Figures {
    this.#lastCommand_ms = this.#command.summary()?.median_ms ?? this.#lastCommand_ms;
    return {
      command_ms: this.#lastCommand_ms,
      glass_ms: this.#glass.summary()?.median_ms ?? null,
      roundTrip_ms: this.roundTrip_ms,
    };
  }
}
