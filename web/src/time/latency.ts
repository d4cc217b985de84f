// Keeps the delays of the last few seconds and says what they were like.
import type { Timers } from "./timers";

/** Long enough to be steady to the eye, short enough to follow a network that changes. */
const WINDOW_MS = 5000;
/** Sixty frames a second for the whole window; a bound on memory, not on meaning. */
const MOST = 300;

export interface LatencySummary {
  readonly median_ms: number;
  readonly p95_ms: number;
  readonly count: number;
}

/** Delays of the last five seconds. */
export class Latency {
  readonly #timers: Pick<Timers, "now">;
  #samples: { at_ms: number; delay_ms: number }[] = [];

  constructor(timers: Pick<Timers, "now">) {
    this.#timers = timers;
  }

  /** Takes one delay; a slightly negative one (the clocks are known to half a round trip) counts as none. */
  add(delay_ms: number): void {
    if (!Number.isFinite(delay_ms)) {
      return;
    }
    this.#samples.push({ at_ms: this.#timers.now(), delay_ms: Math.max(0, delay_ms) });
    if (this.#samples.length > MOST) {
      this.#samples.shift();
    }
  }

  /** What was measured says nothing of what comes. */
  forget(): void {
    this.#samples = [];
  }

  /** What the window holds, or null where it is empty. */
  summary(): LatencySummary | null {
    const from_ms = this.#timers.now() - WINDOW_MS;
    this.#samples = this.#samples.filter((sample) => sample.at_ms >= from_ms);
    const sorted = this.#samples.map((sample) => sample.delay_ms).sort((a, b) => a - b);
    const count = sorted.length;
    if (count === 0) {
      return null;
    }
    return { median_ms: quantile(sorted, 0.5), p95_ms: quantile(sorted, 0.95), count };
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
