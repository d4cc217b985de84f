// Notices that the computer slept. In Chromium on macOS and Linux and in Safari `performance.now()` stands still
// meanwhile, while the wall clock goes on: a gap between the two means that all times measured before are wrong by it.
import type { Timers } from "./timers";

/** Larger than the usual corrections of a wall clock; a clock that stood still for less does no harm. */
const MIN_GAP_MS = 500;

export class SleepDetector {
  readonly #timers: Pick<Timers, "now" | "wallNow">;
  #differenceMs: number;

  constructor(timers: Pick<Timers, "now" | "wallNow">) {
    this.#timers = timers;
    this.#differenceMs = this.#difference();
  }

  /** Whether the computer slept since the last check; a wall clock that was set forward looks the same, once. */
  check(): boolean {
    const beforeMs = this.#differenceMs;
    this.#differenceMs = this.#difference();
    return this.#differenceMs - beforeMs > MIN_GAP_MS;
  }

  #difference(): number {
    return this.#timers.wallNow() - this.#timers.now();
  }
}
