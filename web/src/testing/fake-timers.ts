// Time that moves only when a test says so.
import type { Timers } from "../time/timers";

interface Alarm {
  readonly atMs: number;
  readonly run: () => void;
}

export class FakeTimers implements Timers {
  #nowMs: number;
  #wallOffsetMs = 1_800_000_000_000;
  #alarms: Alarm[] = [];

  constructor(nowMs = 1000) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wall(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const alarm = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#alarms.push(alarm);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
    };
  }

  /** How many alarms wait to ring. */
  get waiting(): number {
    return this.#alarms.length;
  }

  /** Lets time pass; alarms ring in their order, each at its own time. */
  pass(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    for (let due = this.#next(endMs); due !== undefined; due = this.#next(endMs)) {
      const alarm = due;
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
      this.#nowMs = Math.max(this.#nowMs, alarm.atMs);
      alarm.run();
    }
    this.#nowMs = endMs;
  }

  /** The page slept: time passes, and whatever was due rings only now. */
  sleep(durationMs: number): void {
    this.#nowMs += durationMs;
    this.pass(0);
  }

  /** The computer slept, and the page's clock with it; or its wall clock was set. Alarms know nothing of it. */
  standStill(durationMs: number): void {
    this.#wallOffsetMs += durationMs;
  }

  #next(endMs: number): Alarm | undefined {
    return this.#alarms
      .filter((alarm) => alarm.atMs <= endMs)
      .reduce<Alarm | undefined>(
        (first, alarm) => (first && first.atMs <= alarm.atMs ? first : alarm),
        undefined,
      );
  }
}

/** Lets promises that are already settled be heard. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
  }
}
