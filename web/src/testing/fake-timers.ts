// Virtual time, which moves only when a test advances it.
import type { Timers } from "../time/timers";

interface PendingTimer {
  readonly atMs: number;
  readonly run: () => void;
}

export class FakeTimers implements Timers {
  #nowMs: number;
  #wallOffsetMs = 1_800_000_000_000;
  #timers: PendingTimer[] = [];

  constructor(nowMs = 1000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers have not fired yet. */
  get pendingCount(): number {
    return this.#timers.length;
  }

  /** Advances the time; timers fire in order, each at its own time. */
  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    for (let due = this.#next(endMs); due !== undefined; due = this.#next(endMs)) {
      const timer = due;
      this.#timers = this.#timers.filter((other) => other !== timer);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.run();
    }
    this.#nowMs = endMs;
  }

  /** The page was throttled: time passes, and timers that were due fire late, at the end. */
  throttle(durationMs: number): void {
    this.#nowMs += durationMs;
    this.advance(0);
  }

  /** The computer slept and the page's clock stood still (or the wall clock was set). Timers do not notice. */
  suspend(durationMs: number): void {
    this.#wallOffsetMs += durationMs;
  }

  #next(endMs: number): PendingTimer | undefined {
    return this.#timers
      .filter((timer) => timer.atMs <= endMs)
      .reduce<PendingTimer | undefined>(
        (first, timer) => (first && first.atMs <= timer.atMs ? first : timer),
        undefined,
      );
  }
}

/** Runs the reactions of promises that are settled already. */
export async function flushPromises(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
  }
}
