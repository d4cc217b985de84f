// Keeps the delays of the last few seconds and says what they were like.
import type { Timers } from "./timers";

/** Long enough to be steady to the eye, short enough to follow a network that changes. */
const WINDOW_MS = 5000;
/** Sixty frames a second for the whole window; a bound on memory, not on meaning. */
const MOST = 300;

export interface LatencySummary {
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly count: number;
}

/** Delays of the last five seconds. */
export class Latency {
  readonly #timers: Pick<Timers, "now">;
  #samples: { atMs: number; delayMs: number }[] = [];

  constructor(timers: Pick<Timers, "now">) {
    this.#timers = timers;
  }

  /** Takes one delay; a slightly negative one (the clocks are known to half a round trip) counts as none. */
  add(delayMs: number): void {
    if (!Number.isFinite(delayMs)) {
      return;
    }
    this.#samples.push({ atMs: this.#timers.now(), delayMs: Math.max(0, delayMs) });
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
    const fromMs = this.#timers.now() - WINDOW_MS;
    this.#samples = this.#samples.filter((sample) => sample.atMs >= fromMs);
    const sorted = this.#samples.map((sample) => sample.delayMs).sort((a, b) => a - b);
    const count = sorted.length;
    if (count === 0) {
      return null;
    }
    return { medianMs: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95), count };
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
