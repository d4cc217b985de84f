// A sliding window of latency samples, and their statistics.
import type { Timers } from "./timers";

/** Long enough for steady figures, short enough to follow a changing network. */
const WINDOW_MS = 5000;
/** Bounds memory: sixty samples a second for the whole window. */
const MAX_SAMPLES = 300;

export interface LatencySummary {
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly count: number;
}

export class LatencyWindow {
  readonly #timers: Pick<Timers, "now">;
  #samples: { atMs: number; delayMs: number }[] = [];

  constructor(timers: Pick<Timers, "now">) {
    this.#timers = timers;
  }

  /** Adds a sample. The clock offset is exact to half a round trip only, so a negative delay counts as zero. */
  add(delayMs: number): void {
    if (!Number.isFinite(delayMs)) {
      return;
    }
    this.#samples.push({ atMs: this.#timers.now(), delayMs: Math.max(0, delayMs) });
    if (this.#samples.length > MAX_SAMPLES) {
      this.#samples.shift();
    }
  }

  /** Forgets all samples. */
  reset(): void {
    this.#samples = [];
  }

  /** The statistics of the window, or null if it is empty. */
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

function quantile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? 0;
}
