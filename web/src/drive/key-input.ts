// Drives with the arrow keys or WASD; Shift is full speed, Escape and the space bar stop the head.
import type { Cancel, Timers } from "../time/timers";
import { type DriveInput, onPageInactive } from "./drive-input";
import { type InputArea, onFocusLeft } from "./input-area";
import { KEY_RAMP_MS, keySpeed } from "./response-curve";
import { type Velocity, velocity, ZERO_VELOCITY } from "./velocity";

const SOURCE = "keys";
/** How often the speed of a held key is raised: often enough to look smooth. */
const RAMP_STEP_MS = 50;

/** By `code`, the key's place on the keyboard, so that WASD is the same cluster on every layout. */
const KEY_DIRECTIONS: Readonly<Record<string, readonly [right: number, up: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
  KeyA: [-1, 0],
  KeyD: [1, 0],
  KeyW: [0, 1],
  KeyS: [0, -1],
};

export class KeyInput {
  readonly #driveInput: DriveInput;
  readonly #timers: Timers;
  readonly #heldKeys = new Set<string>();
  #pressedAtMs = 0;
  #isFast = false;
  #cancelStep: Cancel = () => {};

  constructor(driveInput: DriveInput, timers: Timers) {
    this.#driveInput = driveInput;
    this.#timers = timers;
  }

  /** Listens until the returned function is called. */
  listen(area: InputArea): () => void {
    const controller = new AbortController();
    const until = { signal: controller.signal };
    // TypeScript knows these events of a window and of an element, but not of what may be either
    const target: GlobalEventHandlers & EventTarget = area.target;
    target.addEventListener("keydown", (event) => this.receiveKeyDown(event as KeyboardEvent), until);
    target.addEventListener("keyup", (event) => this.receiveKeyUp(event as KeyboardEvent), until);
    onFocusLeft(area, () => this.releaseAll(), controller.signal);
    onPageInactive(() => this.releaseAll(), controller.signal);
    return () => {
      this.releaseAll();
      controller.abort();
    };
  }

  receiveKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) {
      // A browser shortcut, not ours. macOS also sends no keyup while Command is down, so nothing may stay held.
      this.releaseAll();
      return;
    }
    if (event.code === "Escape" || (event.code === "Space" && !isOnButton(event))) {
      event.preventDefault();
      this.#driveInput.stop();
      return;
    }
    this.#updateFast(event);
    if (!(event.code in KEY_DIRECTIONS)) {
      return;
    }
    event.preventDefault(); // arrow keys would scroll the page
    if (event.repeat || this.#heldKeys.has(event.code)) {
      return;
    }
    const isPress = this.#heldKeys.size === 0;
    this.#heldKeys.add(event.code);
    if (isPress) {
      this.#pressedAtMs = event.timeStamp;
      this.#driveInput.press(SOURCE, this.#velocity(event.timeStamp), event.timeStamp);
      this.#scheduleStep();
    } else {
      this.#driveInput.move(SOURCE, this.#velocity(event.timeStamp), event.timeStamp);
    }
  }

  receiveKeyUp(event: KeyboardEvent): void {
    this.#updateFast(event);
    if (!this.#heldKeys.delete(event.code)) {
      return;
    }
    if (this.#heldKeys.size === 0) {
      this.releaseAll();
    } else {
      this.#driveInput.move(SOURCE, this.#velocity(event.timeStamp), event.timeStamp);
    }
  }

  /** Counts all keys as released, including those whose keyup this page may never receive. */
  releaseAll(): void {
    this.#cancelStep();
    this.#heldKeys.clear();
    this.#driveInput.release(SOURCE);
  }

  #updateFast(event: KeyboardEvent): void {
    if (event.shiftKey !== this.#isFast) {
      this.#isFast = event.shiftKey;
      if (this.#heldKeys.size > 0) {
        this.#driveInput.move(SOURCE, this.#velocity(event.timeStamp), event.timeStamp);
      }
    }
  }

  #scheduleStep(): void {
    this.#cancelStep();
    this.#cancelStep = this.#timers.after(RAMP_STEP_MS, () => {
      const nowMs = this.#timers.now();
      this.#driveInput.move(SOURCE, this.#velocity(nowMs), nowMs);
      if (nowMs - this.#pressedAtMs < KEY_RAMP_MS) {
        this.#scheduleStep();
      }
    });
  }

  #velocity(nowMs: number): Velocity {
    let right = 0;
    let up = 0;
    for (const code of this.#heldKeys) {
      right += KEY_DIRECTIONS[code]?.[0] ?? 0;
      up += KEY_DIRECTIONS[code]?.[1] ?? 0;
    }
    const length = Math.hypot(right, up);
    if (length === 0) {
      return ZERO_VELOCITY;
    }
    const speed = keySpeed(nowMs - this.#pressedAtMs, this.#isFast);
    return velocity((Math.sign(right) * speed) / length, (Math.sign(up) * speed) / length);
  }
}

/** The space bar presses a focused button; everywhere else it stops the head. */
function isOnButton(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("button, summary") !== null;
}
