// Measures a visit's latencies end to end: from an input to the radio, and from the camera to the screen.
import { ClockOffset } from "../time/clock-offset";
import { LatencyWindow } from "../time/latency-window";
import type { Timers } from "../time/timers";
import type { Ack } from "../wire/messages";

/** Medians over a few seconds; null where nothing was measured. */
export interface Latencies {
  /** From reading the input to writing it to the radio; while not driving, the last value measured. */
  readonly commandMs: number | null;
  /** From the camera's capture to this screen. */
  readonly pictureMs: number | null;
  /** To the server and back. */
  readonly roundTripMs: number | null;
}

export const NO_LATENCIES: Latencies = { commandMs: null, pictureMs: null, roundTripMs: null };

export class LatencyMeter {
  readonly #timers: Pick<Timers, "now">;
  readonly #offset = new ClockOffset();
  readonly #command: LatencyWindow;
  readonly #picture: LatencyWindow;
  #lastCommandMs: number | null = null;

  constructor(timers: Pick<Timers, "now">) {
    this.#timers = timers;
    this.#command = new LatencyWindow(timers);
    this.#picture = new LatencyWindow(timers);
  }

  /** The server answered, at `serverMs` on its clock, what was sent at `clientMs` on the page's. */
  receivePong(clientMs: number, serverMs: number): void {
    this.#offset.receivePong(clientMs, serverMs, this.#timers.now());
  }

  receiveAck(ack: Ack): void {
    if (this.#offset.offsetMs !== null) {
      this.#command.add(ack.written - (ack.clock + this.#offset.offsetMs));
    }
  }

  /** A frame was captured at `capturedAtMs` (server's clock) and shown at `shownAtMs` (page's clock). */
  receiveFrameTimes(capturedAtMs: number, shownAtMs: number): void {
    if (this.#offset.offsetMs !== null) {
      this.#picture.add(shownAtMs + this.#offset.offsetMs - capturedAtMs);
    }
  }

  /** Forgets everything: after a reconnection the server's clock and the network path may be different. */
  reset(): void {
    this.#offset.reset();
    this.#command.reset();
    this.#picture.reset();
    this.#lastCommandMs = null;
  }

  get roundTripMs(): number | null {
    return this.#offset.roundTripMs;
  }

  latencies(): Latencies {
    this.#lastCommandMs = this.#command.summary()?.medianMs ?? this.#lastCommandMs;
    return {
      commandMs: this.#lastCommandMs,
      pictureMs: this.#picture.summary()?.medianMs ?? null,
      roundTripMs: this.roundTripMs,
    };
  }
}
