// Clocks and timers as an interface, so that tests can bring their own time.

/** Cancels a timer; does nothing once it has fired. */
export type Cancel = () => void;

export interface Timers {
  /** Monotonic milliseconds: the clock of `performance.now()` and of event time stamps. */
  now(): number;
  /** Milliseconds of the computer's wall clock, which goes on while the computer sleeps, and can be set. */
  wallNow(): number;
  /** Calls `run` once, `delayMs` from now at the earliest. */
  after(delayMs: number, run: () => void): Cancel;
}

/** The browser's own clocks and timers. */
export const browserTimers: Timers = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after: (delayMs, run) => {
    const id = setTimeout(run, delayMs);
    return () => clearTimeout(id);
  },
};
