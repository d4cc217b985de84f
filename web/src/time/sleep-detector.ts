// Notices that the computer slept: the wall clock went on, while the page's own clock stood still, as it does in
// Chromium on macOS and Linux and in Safari. Everything that was measured with that clock is wrong by the gap.
import type { Timers } from "./timers";

/** What a wall clock is corrected by now and then is less; a clock that stood still for less bothers nobody. */
const GAP_MS = 500;

export class ClockGap {
  readonly #timers: Pick<Timers, "now" | "wall">;
  #differenceMs: number;

  constructor(timers: Pick<Timers, "now" | "wall">) {
    this.#timers = timers;
    this.#differenceMs = this.#difference();
  }

  /** Whether the clock stood still since the last look; a wall clock that was put forward looks the same, once. */
  look(): boolean {
    const beforeMs = this.#differenceMs;
    this.#differenceMs = this.#difference();
    return this.#differenceMs - beforeMs > GAP_MS;
  }

  #difference(): number {
    return this.#timers.wall() - this.#timers.now();
  }
}
