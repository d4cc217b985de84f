// Time as the parts of the page are given it: a monotonic clock and one-shot alarms, so that tests bring their own.

/** Stops an alarm that has not rung; harmless afterwards. */
export type Cancel = () => void;

export interface Timers {
  /** Milliseconds on a clock that never goes back; the same clock as `performance.now()` and event time stamps. */
  now(): number;
  /** Milliseconds on the computer's clock on the wall, which goes on while the computer sleeps, and may be set. */
  wall(): number;
  /** Calls `run` once, `delayMs` from now at the earliest. */
  after(delayMs: number, run: () => void): Cancel;
}

/** The browser's own time. */
export const browserTimers: Timers = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (delayMs, run) => {
    const id = setTimeout(run, delayMs);
    return () => clearTimeout(id);
  },
};
