// Drives with gamepads: their sticks and D-pads, polled once per animation frame while one is connected.

import { type DriveInput, onPageInactive } from "./drive-input";
import type { GamepadSettings } from "./gamepad-settings";
import type { InputArea } from "./input-area";
import { keySpeed, velocityFromStick } from "./response-curve";
import { StickRest } from "./stick-rest";
import { isZero, type Velocity, velocity } from "./velocity";

/** Button indices of the standard mapping: the D-pad, and B (Circle on PlayStation), which stops. */
const DPAD = { up: 12, down: 13, left: 14, right: 15 };
const STOP_BUTTON = 1;
/** A pad that says nothing new for so long, while another does, may be gone: a radio link that broke looks like that. */
const SILENCE_MS = 1000;

/** The part of a `Gamepad` that is used. */
export interface GamepadReading {
  readonly index: number;
  /** What browsers call the device: another one may get the number of one that is gone. */
  readonly id?: string;
  /** False for one that is gone although it is still listed. */
  readonly connected?: boolean;
  /** When it last said something new; 0 where the browser does not tell. */
  readonly timestamp?: number;
  readonly axes: readonly number[];
  readonly buttons: readonly { readonly pressed: boolean }[];
}

/** One gamepad as an input source: turns readings into press, move, release and stop. */
export class GamepadInput {
  readonly #driveInput: DriveInput;
  readonly #source: string;
  readonly #deadZone: () => number;
  readonly #left = new StickRest();
  readonly #right = new StickRest();
  /** A stick that is already deflected when first read (one that drifts, or is lying on its side) is not a press. */
  #wasAtRest = false;
  #isHeld = false;
  #wasStopPressed = true; // likewise: a button that is already down must be released first
  #pressedAtMs = 0;

  /** `deadZone` is how far from its middle a stick may rest, from 0 to 1. */
  constructor(index: number, driveInput: DriveInput, deadZone: () => number) {
    this.#source = `gamepad:${index}`;
    this.#driveInput = driveInput;
    this.#deadZone = deadZone;
  }

  get isHeld(): boolean {
    return this.#isHeld;
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

  /** Nobody knows whether it is still held: it must be seen at rest before it presses again. */
  interrupt(): void {
    this.release();
    this.#wasAtRest = false;
  }

  #read(pad: GamepadReading, nowMs: number): Velocity {
    const [x = 0, y = 0, x2 = 0, y2 = 0] = pad.axes;
    const leftStick = this.#left.receive({ x, y }, nowMs);
    const rightStick = this.#right.receive({ x: x2, y: y2 }, nowMs);
    const isDown = (button: number) => (pad.buttons[button]?.pressed === true ? 1 : 0);
    const right = isDown(DPAD.right) - isDown(DPAD.left);
    const up = isDown(DPAD.up) - isDown(DPAD.down);
    if (right !== 0 || up !== 0) {
      const speed = keySpeed(this.#isHeld ? nowMs - this.#pressedAtMs : 0, false) / Math.hypot(right, up);
      return velocity(right * speed, up * speed);
    }
    const isLeft = Math.hypot(leftStick.x, leftStick.y) >= Math.hypot(rightStick.x, rightStick.y);
    const stick = isLeft ? leftStick : rightStick;
    return velocityFromStick(stick.x, stick.y, this.#deadZone());
  }
}

/** A gamepad that is listed, and when it last said something new. */
interface Listed {
  readonly id: string;
  readonly input: GamepadInput;
  timestamp: number;
  heardAtMs: number;
}

/** All connected gamepads; they drive only while their area has the focus. */
export class AllGamepads {
  readonly #driveInput: DriveInput;
  readonly #deadZone: () => number;
  readonly #listed = new Map<number, Listed>();

  constructor(driveInput: DriveInput, deadZone: () => number) {
    this.#driveInput = driveInput;
    this.#deadZone = deadZone;
  }

  /** Takes one reading of all. Without focus they are ignored: the visitor may be playing a game in another window, or look into another house. */
  receive(pads: readonly GamepadReading[], hasFocus: boolean, nowMs: number): void {
    if (!hasFocus) {
      this.releaseAll();
      return;
    }
    const connected = pads.filter((pad) => pad.connected !== false);
    for (const [index, { id, input }] of this.#listed) {
      if (!connected.some((pad) => pad.index === index && (pad.id ?? "") === id)) {
        input.release();
        this.#listed.delete(index);
      }
    }
    for (const pad of connected) {
      this.#hear(pad, nowMs);
    }
    for (const pad of connected) {
      const listed = this.#listed.get(pad.index);
      if (listed?.input.isHeld && this.#isSilent(listed)) {
        listed.input.interrupt();
      }
      listed?.input.receive(pad, nowMs);
    }
  }

  /** The page became inactive: everything counts as released, and must be seen at rest before it can press again. */
  releaseAll(): void {
    for (const { input } of this.#listed.values()) {
      input.release();
    }
    this.#listed.clear();
  }

  #hear({ index, id = "", timestamp = 0 }: GamepadReading, nowMs: number): void {
    const listed = this.#listed.get(index);
    if (listed === undefined) {
      const input = new GamepadInput(index, this.#driveInput, this.#deadZone);
      this.#listed.set(index, { id, input, timestamp, heardAtMs: nowMs });
    } else if (timestamp !== listed.timestamp) {
      listed.timestamp = timestamp;
      listed.heardAtMs = nowMs;
    }
  }

  /** A stick that is held still says nothing new either, so that counts only where another one was heard later. */
  #isSilent(listed: Listed): boolean {
    return (
      listed.timestamp !== 0 &&
      [...this.#listed.values()].some(({ heardAtMs }) => heardAtMs - listed.heardAtMs >= SILENCE_MS)
    );
  }
}

/** Reads gamepads until the returned function is called. */
export function listenToGamepads(
  driveInput: DriveInput,
  area: InputArea,
  settings: GamepadSettings,
): () => void {
  const all = new AllGamepads(driveInput, () => settings.deadZone.value);
  let frame = 0;

  const read = (nowMs: number) => {
    const pads = navigator.getGamepads().filter((pad) => pad !== null);
    all.receive(pads, area.hasFocus(), nowMs);
    settings.receiveConnected(pads.some((pad) => pad.connected));
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
