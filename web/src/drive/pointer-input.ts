// Drives with a finger or the mouse: a virtual joystick, centred where the pointer was pressed. Two fingers, double taps
// and the wheel are for the picture. What is which decides `gesture.ts`.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Cancel, Timers } from "../time/timers";
import { type DriveInput, onPageInactive } from "./drive-input";
import { type GestureEffect, type GesturePointer, GestureRecognizer, type Point, SETTLE_MS } from "./gesture";
import type { InputSource } from "./hold";
import { dragReachPx, velocityFromDrag } from "./response-curve";
import { isSameGeometry, onGeometryEvent, readGeometry, type SurfaceGeometry } from "./surface-geometry";

/** The virtual joystick, for drawing it. Positions are CSS pixels from the corner of the surface. */
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

/** What gestures do to the picture on the screen; they never move the head. */
export interface PictureGestures {
  /** Magnify by `factor`, so that what was at `from` is at `to`. */
  zoomBy(factor: number, from: Point, to: Point): void;
  receiveDoubleTap(): void;
}

/** The part of a `PointerEvent` that is used, and its place: CSS pixels from the corner of the surface. */
export type PointerSample = Pick<
  PointerEvent,
  "pointerId" | "pointerType" | "isPrimary" | "button" | "buttons" | "timeStamp"
> &
  Point;

/** Pixels of the wheel that double the picture; a trackpad's pinch (the wheel with Ctrl) reports fewer of them. */
const WHEEL_DOUBLING_PX = 400;
const PINCH_DOUBLING_PX = 70;
/** The height of a line, for wheels that count in lines. */
const WHEEL_LINE_PX = 16;

export class PointerInput {
  readonly #driveInput: DriveInput;
  readonly #timers: Timers;
  readonly #picture: PictureGestures;
  readonly #gesture = new GestureRecognizer();
  readonly #joystick = signal<Joystick | null>(null);
  #reachPx = 0;
  #geometry: SurfaceGeometry | null = null;
  #cancelSettle: Cancel = () => {};

  constructor(driveInput: DriveInput, timers: Timers, picture: PictureGestures) {
    this.#driveInput = driveInput;
    this.#timers = timers;
    this.#picture = picture;
  }

  /** The joystick that is being dragged, or null. */
  get joystick(): ReadonlySignal<Joystick | null> {
    return this.#joystick;
  }

  /** Listens on `surface` until the returned function is called. */
  listen(surface: HTMLElement): () => void {
    const controller = new AbortController();
    const until = { signal: controller.signal };
    const onCancel = (event: PointerEvent) => this.receiveCancel(event.pointerId);
    const measure = () => this.receiveGeometry(readGeometry(surface));
    surface.addEventListener(
      "pointerdown",
      (event) => {
        measure();
        if (this.receiveDown(sampleOf(event, surface), surface.clientWidth, surface.clientHeight)) {
          surface.setPointerCapture(event.pointerId);
        }
      },
      until,
    );
    const onMove = (event: PointerEvent) => {
      measure(); // the event of a change may come after the first move that it falsified
      this.receiveMove(sampleOf(event, surface));
    };
    surface.addEventListener("pointermove", onMove, until);
    surface.addEventListener("pointerup", (event) => this.receiveUp(event.pointerId, event.timeStamp), until);
    surface.addEventListener("pointercancel", onCancel, until);
    surface.addEventListener("lostpointercapture", onCancel, until);
    surface.addEventListener("contextmenu", (event) => this.receiveContextMenu(event), until);
    const onWheel = (event: WheelEvent) => this.receiveWheel(event, placeOn(surface, event));
    surface.addEventListener("wheel", onWheel, { ...until, passive: false });
    onGeometryEvent(surface, measure, controller.signal);
    onPageInactive(() => this.release(), controller.signal);
    return () => {
      this.release();
      controller.abort();
    };
  }

  /** Where the surface is, and how large: if that changed, a slow drag would be a fast one, so none goes on. */
  receiveGeometry(geometry: SurfaceGeometry): void {
    if (this.#geometry !== null && !isSameGeometry(this.#geometry, geometry)) {
      this.release();
      this.#geometry = null;
    }
    this.#geometry ??= geometry; // not the newest: many small changes add up
  }

  /** A pointer was pressed, on a surface of this size; true if it is followed from now on. */
  receiveDown(sample: PointerSample, widthPx: number, heightPx: number): boolean {
    if (sample.button !== 0) {
      return false;
    }
    this.#cancelSettle();
    this.#reachPx = dragReachPx(widthPx, heightPx);
    this.#run(this.#gesture.receiveDown(pointerOf(sample)), sample.timeStamp);
    if (this.#gesture.stick !== null || this.#gesture.isSettling) {
      this.#driveInput.prepare();
    }
    if (this.#gesture.isSettling) {
      this.#cancelSettle = this.#timers.after(SETTLE_MS, () =>
        this.#run(this.#gesture.settle(), this.#timers.now()),
      );
    }
    return true;
  }

  receiveMove(sample: PointerSample): void {
    if (sample.pointerType === "mouse" && (sample.buttons & 1) === 0) {
      this.receiveCancel(sample.pointerId); // the button was released outside the window
      return;
    }
    this.#run(this.#gesture.receiveMove(pointerOf(sample)), sample.timeStamp);
  }

  receiveUp(pointerId: number, atMs: number): void {
    this.#run(this.#gesture.receiveUp(pointerId, atMs), atMs);
  }

  /** The browser took this pointer, or its capture was lost. */
  receiveCancel(pointerId: number): void {
    this.#run(this.#gesture.receiveCancel(pointerId), this.#timers.now());
  }

  /**
   * On some phones a long touch asks for the context menu: it is suppressed, and the finger goes on driving. A mouse
   * releases, because a browser that shows its menu all the same would swallow the button's release.
   */
  receiveContextMenu(event: Pick<Event, "preventDefault">): void {
    event.preventDefault();
    if (this.#gesture.stick?.isTouch === false) {
      this.release();
    }
  }

  /** The wheel, and the pinch of a trackpad, which browsers report as a wheel with Ctrl: both zoom. */
  receiveWheel(
    event: Pick<WheelEvent, "deltaY" | "deltaMode" | "ctrlKey" | "preventDefault">,
    at: Point,
  ): void {
    event.preventDefault(); // the browser would magnify the page, buttons and all
    const deltaPx = event.deltaMode === 0 ? event.deltaY : event.deltaY * WHEEL_LINE_PX;
    const doublingPx = event.ctrlKey && event.deltaMode === 0 ? PINCH_DOUBLING_PX : WHEEL_DOUBLING_PX;
    const octaves = Math.min(1, Math.max(-1, -deltaPx / doublingPx)); // a wheel with Ctrl may be a real one
    this.#picture.zoomBy(2 ** octaves, at, at);
  }

  /** The page became inactive: it may never receive the pointer's release. */
  release(): void {
    this.#run(this.#gesture.interrupt(), this.#timers.now());
  }

  #run(effects: readonly GestureEffect[], atMs: number): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "press":
        case "drag": {
          const velocity = velocityFromDrag(effect.dxPx, effect.dyPx, this.#reachPx);
          this.#driveInput[effect.kind === "press" ? "press" : "move"](
            sourceOf(effect.pointerId),
            velocity,
            atMs,
          );
          break;
        }
        case "release":
          this.#driveInput.release(sourceOf(effect.pointerId));
          break;
        case "pinch":
          this.#picture.zoomBy(effect.factor, effect.from, effect.to);
          break;
        case "double_tap":
          this.#picture.receiveDoubleTap();
          break;
      }
    }
    this.#updateJoystick();
  }

  #updateJoystick(): void {
    const stick = this.#gesture.stick;
    if (stick === null) {
      this.#joystick.value = null;
      return;
    }
    const { centre, ...rest } = stick;
    this.#joystick.value = { ...rest, centreXPx: centre.xPx, centreYPx: centre.yPx, reachPx: this.#reachPx };
  }
}

function sampleOf(event: PointerEvent, surface: HTMLElement): PointerSample {
  const { pointerId, pointerType, isPrimary, button, buttons, timeStamp } = event;
  return { pointerId, pointerType, isPrimary, button, buttons, timeStamp, ...placeOn(surface, event) };
}

function placeOn(surface: HTMLElement, event: MouseEvent): Point {
  const { left, top } = surface.getBoundingClientRect();
  return { xPx: event.clientX - left, yPx: event.clientY - top };
}

function pointerOf(sample: PointerSample): GesturePointer {
  return {
    pointerId: sample.pointerId,
    isTouch: sample.pointerType === "touch",
    isPrimary: sample.isPrimary,
    xPx: sample.xPx,
    yPx: sample.yPx,
    atMs: sample.timeStamp,
  };
}

function sourceOf(pointerId: number): InputSource {
  return `pointer:${pointerId}`;
}
