// Drives with gamepads: their sticks and D-pads, polled once per animation frame while one is connected.

import { type DriveInput, onPageInactive } from "./drive-input";
import type { InputArea } from "./input-area";
import { keySpeed, velocityFromStick } from "./response-curve";
import { isZero, type Velocity, velocity } from "./velocity";

/** Button indices of the standard mapping: the D-pad, and B (Circle on PlayStation), which stops. */
const DPAD = { up: 12, down: 13, left: 14, right: 15 };
const STOP_BUTTON = 1;

/** The part of a `Gamepad` that is used. */
export interface GamepadReading {
  readonly index: number;
  readonly axes: readonly number[];
  readonly buttons: readonly { readonly pressed: boolean }[];
}

/** One gamepad as an input source: turns readings into press, move, release and stop. */
export class GamepadInput {
  readonly #driveInput: DriveInput;
  readonly #source: string;
  /** A stick that is already deflected when first read (one that drifts, or is lying on its side) is not a press. */
  #wasAtRest = false;
  #isHeld = false;
  #wasStopPressed = true; // likewise: a button that is already down must be released first
  #pressedAtMs = 0;

  constructor(index: number, driveInput: DriveInput) {
    this.#source = `gamepad:${index}`;
    this.#driveInput = driveInput;
  }

  /** Takes one reading. */
  receive(pad: GamepadReading, nowMs: number): void {
    const isStopPressed = pad.buttons[STOP_BUTTON]?.pressed === true;
    if (isStopPressed && !this.#wasStopPressed) {
      this.#driveInput.stop();
    }
    this.#wasStopPressed = isStopPressed;
    const velocityNow = this.#read(pad, nowMs);
    if (isZero(velocityNow)) {
      this.#wasAtRest = true;
      this.release();
    } else if (this.#isHeld) {
      this.#driveInput.move(this.#source, velocityNow, nowMs);
    } else if (this.#wasAtRest) {
      this.#isHeld = true;
      this.#pressedAtMs = nowMs;
      this.#driveInput.press(this.#source, velocityNow, nowMs);
    }
  }

  /** The stick returned to rest, or the gamepad was disconnected. */
  release(): void {
    if (this.#isHeld) {
      this.#isHeld = false;
      this.#driveInput.release(this.#source);
    }
  }

  #read(pad: GamepadReading, nowMs: number): Velocity {
    const isDown = (button: number) => (pad.buttons[button]?.pressed === true ? 1 : 0);
    const right = isDown(DPAD.right) - isDown(DPAD.left);
    const up = isDown(DPAD.up) - isDown(DPAD.down);
    if (right !== 0 || up !== 0) {
      const speed = keySpeed(this.#isHeld ? nowMs - this.#pressedAtMs : 0, false) / Math.hypot(right, up);
      return velocity(right * speed, up * speed);
    }
    const [x = 0, y = 0, x2 = 0, y2 = 0] = pad.axes;
    return Math.hypot(x, y) >= Math.hypot(x2, y2) ? velocityFromStick(x, y) : velocityFromStick(x2, y2);
  }
}

/** All connected gamepads; they drive only while their area has the focus. */
export class AllGamepads {
  readonly #driveInput: DriveInput;
  readonly #inputs = new Map<number, GamepadInput>();

  constructor(driveInput: DriveInput) {
    this.#driveInput = driveInput;
  }

  /** Takes one reading of all. Without focus they are ignored: the visitor may be playing a game in another window, or look into another house. */
  receive(pads: readonly GamepadReading[], hasFocus: boolean, nowMs: number): void {
    if (!hasFocus) {
      this.releaseAll();
      return;
    }
    for (const [index, input] of this.#inputs) {
      if (!pads.some((pad) => pad.index === index)) {
        input.release();
        this.#inputs.delete(index);
      }
    }
    for (const pad of pads) {
      const input = this.#inputs.get(pad.index) ?? new GamepadInput(pad.index, this.#driveInput);
      this.#inputs.set(pad.index, input);
      input.receive(pad, nowMs);
    }
  }

  /** The page became inactive: everything counts as released, and must be seen at rest before it can press again. */
  releaseAll(): void {
    for (const input of this.#inputs.values()) {
      input.release();
    }
    this.#inputs.clear();
  }
}

/** Reads gamepads until the returned function is called. */
export function listenToGamepads(driveInput: DriveInput, area: InputArea): () => void {
  const all = new AllGamepads(driveInput);
  let frame = 0;

  const read = (nowMs: number) => {
    const pads = navigator.getGamepads().filter((pad) => pad !== null);
    all.receive(pads, area.hasFocus(), nowMs);
    frame = pads.length > 0 ? requestAnimationFrame(read) : 0;
  };
  const start = () => {
    if (frame === 0) {
      frame = requestAnimationFrame(read);
    }
  };
  const controller = new AbortController();
  window.addEventListener("gamepadconnected", start, { signal: controller.signal });
  window.addEventListener("gamepaddisconnected", start, { signal: controller.signal });
  onPageInactive(() => all.releaseAll(), controller.signal);
  if (navigator.getGamepads?.().some((pad) => pad !== null)) {
    start();
  }
  return () => {
    cancelAnimationFrame(frame);
    all.releaseAll();
    controller.abort();
  };
}
