// Drives with a finger or the mouse: a virtual joystick, centred where the pointer was pressed.
import { type ReadonlySignal, signal } from "@preact/signals";
import { type DriveInput, onPageInactive } from "./drive-input";
import type { InputSource } from "./hold";
import { dragReachPx, velocityFromDrag } from "./response-curve";
import { ZERO_VELOCITY } from "./velocity";

/** The virtual joystick, for drawing it. Positions are CSS pixels in the window. */
export interface Joystick {
  readonly pointerId: number;
  readonly isTouch: boolean;
  readonly centreXPx: number;
  readonly centreYPx: number;
  /** From the centre to the pointer. */
  readonly dxPx: number;
  readonly dyPx: number;
  /** The distance from the centre that means full speed. */
  readonly reachPx: number;
}

/** The part of a `PointerEvent` that is used. */
export type PointerSample = Pick<
  PointerEvent,
  "pointerId" | "pointerType" | "button" | "buttons" | "clientX" | "clientY" | "timeStamp"
>;

export class PointerInput {
  readonly #driveInput: DriveInput;
  readonly #joystick = signal<Joystick | null>(null);

  constructor(driveInput: DriveInput) {
    this.#driveInput = driveInput;
  }

  /** The joystick that is being dragged, or null. */
  get joystick(): ReadonlySignal<Joystick | null> {
    return this.#joystick;
  }

  /** Listens on `surface` until the returned function is called. */
  listen(surface: HTMLElement): () => void {
    const controller = new AbortController();
    const until = { signal: controller.signal };
    const onEnd = (event: PointerEvent) => this.receiveUp(event.pointerId);
    surface.addEventListener(
      "pointerdown",
      (event) => {
        if (this.receiveDown(event, window.innerWidth, window.innerHeight)) {
          surface.setPointerCapture(event.pointerId);
        }
      },
      until,
    );
    surface.addEventListener("pointermove", (event) => this.receiveMove(event), until);
    surface.addEventListener("pointerup", onEnd, until);
    surface.addEventListener("pointercancel", onEnd, until);
    surface.addEventListener("lostpointercapture", onEnd, until);
    surface.addEventListener("contextmenu", (event) => this.receiveContextMenu(event), until);
    onPageInactive(() => this.release(), controller.signal);
    return () => {
      this.release();
      controller.abort();
    };
  }

  /** A pointer was pressed, in a window of this size; true if it became the joystick. */
  receiveDown(sample: PointerSample, widthPx: number, heightPx: number): boolean {
    if (sample.button !== 0 || this.#joystick.value !== null) {
      return false; // not the main button, or a second finger
    }
    this.#joystick.value = {
      pointerId: sample.pointerId,
      isTouch: sample.pointerType === "touch",
      centreXPx: sample.clientX,
      centreYPx: sample.clientY,
      dxPx: 0,
      dyPx: 0,
      reachPx: dragReachPx(widthPx, heightPx),
    };
    this.#driveInput.press(sourceOf(sample.pointerId), ZERO_VELOCITY, sample.timeStamp);
    return true;
  }

  receiveMove(sample: PointerSample): void {
    const joystick = this.#joystick.value;
    if (joystick === null || joystick.pointerId !== sample.pointerId) {
      return;
    }
    if (sample.pointerType === "mouse" && (sample.buttons & 1) === 0) {
      this.receiveUp(joystick.pointerId); // the button was released outside the window
      return;
    }
    const dxPx = sample.clientX - joystick.centreXPx;
    const dyPx = sample.clientY - joystick.centreYPx;
    this.#joystick.value = { ...joystick, dxPx, dyPx };
    this.#driveInput.move(
      sourceOf(joystick.pointerId),
      velocityFromDrag(dxPx, dyPx, joystick.reachPx),
      sample.timeStamp,
    );
  }

  /** This pointer was released or cancelled, or its capture was lost. */
  receiveUp(pointerId: number): void {
    if (this.#joystick.value?.pointerId === pointerId) {
      this.#joystick.value = null;
      this.#driveInput.release(sourceOf(pointerId));
    }
  }

  /**
   * On some phones a long touch asks for the context menu: it is suppressed, and the finger goes on driving. A mouse
   * releases, because a browser that shows its menu all the same would swallow the button's release.
   */
  receiveContextMenu(event: Pick<Event, "preventDefault">): void {
    event.preventDefault();
    if (this.#joystick.value?.isTouch === false) {
      this.release();
    }
  }

  /** The page became inactive: it may never receive the pointer's release. */
  release(): void {
    if (this.#joystick.value !== null) {
      this.receiveUp(this.#joystick.value.pointerId);
    }
  }
}

function sourceOf(pointerId: number): InputSource {
  return `pointer:${pointerId}`;
}
