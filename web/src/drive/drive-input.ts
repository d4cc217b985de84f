// What the input devices (pointer, keyboard, gamepads) call; the driver implements it.
import type { InputSource } from "./hold";
import type { Velocity } from "./velocity";

/** `readAtMs` is when the device was read, in milliseconds on the page's clock. */
export interface DriveInput {
  /** A press may follow within a moment. Moves nothing, and takes nothing from others. */
  prepare(): void;
  press(source: InputSource, velocity: Velocity, readAtMs: number): void;
  move(source: InputSource, velocity: Velocity, readAtMs: number): void;
  release(source: InputSource): void;
  /** Stops the head, whoever drives. */
  stop(): void;
}

/**
 * Calls `run` whenever the page loses focus, is hidden, frozen or left: it may never hear of a key or button that is
 * released after that, so whatever is held must count as released.
 */
export function onPageInactive(run: () => void, signal: AbortSignal): void {
  const onVisibilityChange = () => {
    if (document.visibilityState === "hidden") {
      run();
    }
  };
  window.addEventListener("blur", run, { signal });
  window.addEventListener("pagehide", run, { signal });
  document.addEventListener("freeze", run, { signal });
  document.addEventListener("visibilitychange", onVisibilityChange, { signal });
}
