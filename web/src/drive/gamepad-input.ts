// A gamepad's sticks and cross, read once a picture, and only while a gamepad is there.

import { type Hands, listenToAway } from "./drive-input";
import { fromStick, keySpeed } from "./response-curve";
import { isStill, type Velocity, velocity } from "./velocity";

/** Buttons of the standard mapping: the cross, and B (Circle), which stops. */
const CROSS = { up: 12, down: 13, left: 14, right: 15 };
const STOP = 1;

/** What of a gamepad is read. */
export interface Pad {
  readonly index: number;
  readonly axes: readonly number[];
  readonly buttons: readonly { readonly pressed: boolean }[];
}

/** One gamepad's stick as a hand; pure but for the hands it moves. */
export class PadStick {
  readonly #hands: Hands;
  readonly #source: string;
  /** A stick that leans already when first seen is no press: it must have been at rest before. */
  #wasAtRest = false;
  #isHeld = false;
  #wasStop = true;
  #pressedAtMs = 0;

  constructor(index: number, hands: Hands) {
    this.#source = `gamepad:${index}`;
    this.#hands = hands;
  }

  /** Takes one reading. */
  receive(pad: Pad, nowMs: number): void {
    const isStop = pad.buttons[STOP]?.pressed === true;
    if (isStop && !this.#wasStop) {
      this.#hands.stop();
    }
    this.#wasStop = isStop;
    const wanted = this.#read(pad, nowMs);
    if (isStill(wanted)) {
      this.#wasAtRest = true;
      this.receiveGone();
    } else if (this.#isHeld) {
      this.#hands.move(this.#source, wanted, nowMs);
    } else if (this.#wasAtRest) {
      this.#isHeld = true;
      this.#pressedAtMs = nowMs;
      this.#hands.press(this.#source, this.#read(pad, nowMs), nowMs);
    }
  }

  /** The stick is at rest, or the gamepad is gone. */
  receiveGone(): void {
    if (this.#isHeld) {
      this.#isHeld = false;
      this.#hands.letGo(this.#source);
    }
  }

  #read(pad: Pad, nowMs: number): Velocity {
    const isDown = (button: number) => (pad.buttons[button]?.pressed === true ? 1 : 0);
    const right = isDown(CROSS.right) - isDown(CROSS.left);
    const up = isDown(CROSS.up) - isDown(CROSS.down);
    if (right !== 0 || up !== 0) {
      const speed = keySpeed(this.#isHeld ? nowMs - this.#pressedAtMs : 0, false) / Math.hypot(right, up);
      return velocity(right * speed, up * speed);
    }
    const [x = 0, y = 0, x2 = 0, y2 = 0] = pad.axes;
    return Math.hypot(x, y) >= Math.hypot(x2, y2) ? fromStick(x, y) : fromStick(x2, y2);
  }
}

/** All gamepads there are; they are hands only while the window has the visitor's attention. */
export class Pads {
  readonly #hands: Hands;
  readonly #sticks = new Map<number, PadStick>();

  constructor(hands: Hands) {
    this.#hands = hands;
  }

  /** Takes one reading of all. A window may be seen, and its gamepads read, while the visitor plays in another. */
  receive(pads: readonly Pad[], hasFocus: boolean, nowMs: number): void {
    if (!hasFocus) {
      this.receiveAway();
      return;
    }
    for (const [index, stick] of this.#sticks) {
      if (!pads.some((pad) => pad.index === index)) {
        stick.receiveGone();
        this.#sticks.delete(index);
      }
    }
    for (const pad of pads) {
      const stick = this.#sticks.get(pad.index) ?? new PadStick(pad.index, this.#hands);
      this.#sticks.set(pad.index, stick);
      stick.receive(pad, nowMs);
    }
  }

  /** The window lost the visitor's attention: what is held then counts again once it was let go. */
  receiveAway(): void {
    for (const stick of this.#sticks.values()) {
      stick.receiveGone();
    }
    this.#sticks.clear();
  }
}

/** Reads gamepads until the returned function is called. */
export function listenToGamepads(hands: Hands): () => void {
  const all = new Pads(hands);
  let frame = 0;

  const read = (nowMs: number) => {
    const pads = navigator.getGamepads().filter((pad) => pad !== null);
    all.receive(pads, document.hasFocus(), nowMs);
    frame = pads.length > 0 ? requestAnimationFrame(read) : 0;
  };
  const start = () => {
    if (frame === 0) {
      frame = requestAnimationFrame(read);
    }
  };
  const onAway = () => all.receiveAway();

  const off = new AbortController();
  window.addEventListener("gamepadconnected", start, { signal: off.signal });
  window.addEventListener("gamepaddisconnected", start, { signal: off.signal });
  listenToAway(onAway, off.signal);
  if (navigator.getGamepads?.().some((pad) => pad !== null)) {
    start();
  }
  return () => {
    cancelAnimationFrame(frame);
    onAway();
    off.abort();
  };
}
