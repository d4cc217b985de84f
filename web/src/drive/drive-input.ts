// The seam between the things a visitor can hold (a finger, keys, a stick) and who drives.
import type { Source } from "./hold";
import type { Velocity } from "./velocity";

/** Times are when the hand was read, on the page's clock in milliseconds. */
export interface Hands {
  press(source: Source, velocity: Velocity, readAtMs: number): void;
  move(source: Source, velocity: Velocity, readAtMs: number): void;
  letGo(source: Source): void;
  /** Stops the head, whoever drives. */
  stop(): void;
}

/** Calls `run` whenever the page loses the visitor's attention, and may no longer hear of their letting go. */
export function listenToAway(run: () => void, until: AbortSignal): void {
  const onHidden = () => {
    if (document.visibilityState === "hidden") {
      run();
    }
  };
  window.addEventListener("blur", run, { signal: until });
  window.addEventListener("pagehide", run, { signal: until });
  document.addEventListener("freeze", run, { signal: until });
  document.addEventListener("visibilitychange", onHidden, { signal: until });
}
