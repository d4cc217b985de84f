// The arrow keys and WASD as one stick; Shift turns faster, Escape and the space bar stop.
import type { Cancel, Timers } from "../time/timers";
import { type Hands, listenToAway } from "./drive-input";
import { KEY_RAMP_MS, keySpeed } from "./response-curve";
import { STILL, type Velocity, velocity } from "./velocity";

const SOURCE = "keys";
/** The speed of a key grows in steps that no eye tells from a slope. */
const STEP_MS = 50;

/** Where each key turns to, by its place on the keyboard and not by its letter. */
const KEYS: Readonly<Record<string, readonly [right: number, up: number]>> = {
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
  readonly #hands: Hands;
  readonly #timers: Timers;
  readonly #down = new Set<string>();
  #pressedAtMs = 0;
  #isFast = false;
  #cancelStep: Cancel = () => {};

  constructor(hands: Hands, timers: Timers) {
    this.#hands = hands;
    this.#timers = timers;
  }

  /** Listens on the window until the returned function is called. */
  listen(): () => void {
    const off = new AbortController();
    window.addEventListener("keydown", (event) => this.receiveDown(event), { signal: off.signal });
    window.addEventListener("keyup", (event) => this.receiveUp(event), { signal: off.signal });
    listenToAway(() => this.receiveAway(), off.signal);
    return () => {
      this.receiveAway();
      off.abort();
    };
  }

  receiveDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) {
      this.receiveAway(); // a command to the browser; and a Mac keeps key-ups to itself while Command is down
      return;
    }
    if (event.code === "Escape" || (event.code === "Space" && !isOnButton(event))) {
      event.preventDefault();
      this.#hands.stop();
      return;
    }
    this.#shift(event);
    if (!(event.code in KEYS)) {
      return;
    }
    event.preventDefault(); // the page does not scroll
    if (event.repeat || this.#down.has(event.code)) {
      return;
    }
    const isPress = this.#down.size === 0;
    this.#down.add(event.code);
    if (isPress) {
      this.#pressedAtMs = event.timeStamp;
      this.#hands.press(SOURCE, this.#velocity(event.timeStamp), event.timeStamp);
      this.#scheduleStep();
    } else {
      this.#hands.move(SOURCE, this.#velocity(event.timeStamp), event.timeStamp);
    }
  }

  receiveUp(event: KeyboardEvent): void {
    this.#shift(event);
    if (!this.#down.delete(event.code)) {
      return;
    }
    if (this.#down.size === 0) {
      this.receiveAway();
    } else {
      this.#hands.move(SOURCE, this.#velocity(event.timeStamp), event.timeStamp);
    }
  }

  /** All keys count as let go: those still down will not tell any more. */
  receiveAway(): void {
    this.#cancelStep();
    this.#down.clear();
    this.#hands.letGo(SOURCE);
  }

  #shift(event: KeyboardEvent): void {
    if (event.shiftKey !== this.#isFast) {
      this.#isFast = event.shiftKey;
      if (this.#down.size > 0) {
        this.#hands.move(SOURCE, this.#velocity(event.timeStamp), event.timeStamp);
      }
    }
  }

  #scheduleStep(): void {
    this.#cancelStep();
    this.#cancelStep = this.#timers.after(STEP_MS, () => {
      const nowMs = this.#timers.now();
      this.#hands.move(SOURCE, this.#velocity(nowMs), nowMs);
      if (nowMs - this.#pressedAtMs < KEY_RAMP_MS) {
        this.#scheduleStep();
      }
    });
  }

  #velocity(nowMs: number): Velocity {
    let right = 0;
    let up = 0;
    for (const code of this.#down) {
      right += KEYS[code]?.[0] ?? 0;
      up += KEYS[code]?.[1] ?? 0;
    }
    const length = Math.hypot(right, up);
    if (length === 0) {
      return STILL;
    }
    const speed = keySpeed(nowMs - this.#pressedAtMs, this.#isFast);
    return velocity((Math.sign(right) * speed) / length, (Math.sign(up) * speed) / length);
  }
}

/** The space bar presses a focused button; everywhere else it stops the head. */
function isOnButton(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("button, summary") !== null;
}
