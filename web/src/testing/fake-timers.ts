// Time that moves only when a test says so.
import type { Timers } from "../time/timers";

interface Alarm {
  readonly at_ms: number;
  readonly run: () => void;
}

export class FakeTimers implements Timers {
  #now_ms: number;
  #wallAhead_ms = 1_800_000_000_000;
  #alarms: Alarm[] = [];

  constructor(now_ms = 1000) {
    this.#now_ms = now_ms;
  }

  now(): number {
    return this.#now_ms;
  }

  wall(): number {
    return this.#now_ms + this.#wallAhead_ms;
  }

  after(delay_ms: number, run: () => void): () => void {
    const alarm = { at_ms: this.#now_ms + Math.max(0, delay_ms), run };
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
  pass(duration_ms: number): void {
    const end_ms = this.#now_ms + duration_ms;
    for (let due = this.#next(end_ms); due !== undefined; due = this.#next(end_ms)) {
      const alarm = due;
      this.#alarms = this.#alarms.filter((other) => other !== alarm);
      this.#now_ms = Math.max(this.#now_ms, alarm.at_ms);
      alarm.run();
    }
    this.#now_ms = end_ms;
  }

  /** The page slept: time passes, and whatever was due rings only now. */
  sleep(duration_ms: number): void {
    this.#now_ms += duration_ms;
    this.pass(0);
  }

  /** The computer slept, and the page's clock with it; or its wall clock was set. Alarms know nothing of it. */
  standStill(duration_ms: number): void {
    this.#wallAhead_ms += duration_ms;
  }

  #next(end_ms: number): Alarm | undefined {
    return this.#alarms
      .filter((alarm) => alarm.at_ms <= end_ms)
      .reduce<Alarm | undefined>(
        (first, alarm) => (first && first.at_ms <= alarm.at_ms ? first : alarm),
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
