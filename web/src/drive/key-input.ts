// Drives with the arrow keys or WASD; Shift is full speed, Escape and the space bar stop the head.
import type { Cancel, Timers } from "../time/timers";
import { type DriveInput, onPageInactive } from "./drive-input";
import { type InputArea, onFocusLeft } from "./input-area";
import { KEY_RAMP_MS, keySpeed } from "./response-curve";
import { type Velocity, velocity, ZERO_VELOCITY } from "./velocity";

const SOURCE = "keys";
/** How often the speed of a held key is raised: often enough to look smooth. */
const RAMP_STEP_MS = 50;

type Direction = readonly [right: number, up: number];

/** By `key`, what a key means: remotes, screen keyboards and remapped keys have no `code`, or another one. */
const DIRECTIONS_BY_KEY: Readonly<Record<string, Direction>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
  // as browsers of television sets still say
  Left: [-1, 0],
  Right: [1, 0],
  Up: [0, 1],
  Down: [0, -1],
};

/** By `code`, the key's place: so WASD is the same cluster on every layout, and an input method may hide the `key`. */
const DIRECTIONS_BY_CODE: Readonly<Record<string, Direction>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
  KeyA: [-1, 0],
  KeyD: [1, 0],
  KeyW: [0, 1],
  KeyS: [0, -1],
  // with and without Num Lock
  Numpad4: [-1, 0],
  Numpad6: [1, 0],
  Numpad8: [0, 1],
  Numpad2: [0, -1],
};

const ESCAPE = ["Escape", "Esc"];
const SPACE = ["Space", " ", "Spacebar"];
/** What a `key` is that the browser cannot tell, or leaves to an input method. */
const UNTOLD = ["", "Unidentified", "Process", "Dead"];

/** A key that is down, by both of its names: the event of its release may lack one of them. */
interface HeldKey {
  readonly code: string;
  readonly key: string;
  readonly direction: Direction;
}

export class KeyInput {
  readonly #driveInput: DriveInput;
  readonly #timers: Timers;
  #heldKeys: readonly HeldKey[] = [];
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
    if (isOneOf(ESCAPE, event) || (isOneOf(SPACE, event) && !isOnButton(event))) {
      event.preventDefault();
      this.#driveInput.stop();
      return;
    }
    this.#updateFast(event);
    const { code, key } = event;
    const direction = DIRECTIONS_BY_KEY[key] ?? DIRECTIONS_BY_CODE[code];
    if (direction === undefined || isOnField(event)) {
      return;
    }
    event.preventDefault(); // arrow keys would scroll the page
    if (event.repeat || this.#heldKeys.some((held) => isSameKey(held, event))) {
      return;
    }
    const isPress = this.#heldKeys.length === 0;
    this.#heldKeys = [...this.#heldKeys, { code, key, direction }];
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
    const isUntold = event.code === "" && UNTOLD.includes(event.key); // it may be any of those that are held
    const left = isUntold ? [] : this.#heldKeys.filter((held) => !isSameKey(held, event));
    if (left.length === this.#heldKeys.length) {
      return;
    }
    this.#heldKeys = left;
    if (left.length === 0) {
      this.releaseAll();
    } else {
      this.#driveInput.move(SOURCE, this.#velocity(event.timeStamp), event.timeStamp);
    }
  }

  /** Counts all keys as released, including those whose keyup this page may never receive. */
  releaseAll(): void {
    this.#cancelStep();
    this.#heldKeys = [];
    this.#driveInput.release(SOURCE);
  }

  #updateFast(event: KeyboardEvent): void {
    if (event.shiftKey !== this.#isFast) {
      this.#isFast = event.shiftKey;
      if (this.#heldKeys.length > 0) {
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
    for (const { direction } of this.#heldKeys) {
      right += direction[0];
      up += direction[1];
    }
    const length = Math.hypot(right, up);
    if (length === 0) {
      return ZERO_VELOCITY;
    }
    const speed = keySpeed(nowMs - this.#pressedAtMs, this.#isFast);
    return velocity((Math.sign(right) * speed) / length, (Math.sign(up) * speed) / length);
  }
}

function isOneOf(names: readonly string[], { code, key }: KeyboardEvent): boolean {
  return names.includes(code) || names.includes(key);
}

/** By its place, or by what it means: whichever both events have. */
function isSameKey(held: HeldKey, { code, key }: KeyboardEvent): boolean {
  return (code !== "" && held.code === code) || (!UNTOLD.includes(key) && held.key === key);
}

/** A field that arrow keys and letters belong to while it has the focus. */
function isOnField(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("input, select, textarea") !== null;
}

/** The space bar presses a focused button; everywhere else it stops the head. */
function isOnButton(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("button, summary") !== null;
}
