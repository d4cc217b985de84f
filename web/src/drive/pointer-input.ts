// A finger or a mouse on the picture: where it was pressed is the stick's centre, where it is now is the stick.
import { type ReadonlySignal, signal } from "@preact/signals";
import { type Hands, listenToAway } from "./drive-input";
import { dragReachPx, fromDrag } from "./response-curve";
import { STILL } from "./velocity";

/** The stick under the finger, in CSS pixels of the window; for drawing it. */
export interface Stick {
  readonly pointer: number;
  readonly isTouch: boolean;
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly reach: number;
}

/** What of the browser's pointer events is read. */
export type Touch = Pick<
  PointerEvent,
  "pointerId" | "pointerType" | "button" | "buttons" | "clientX" | "clientY" | "timeStamp"
>;

export class PointerInput {
  readonly #hands: Hands;
  readonly #stick = signal<Stick | null>(null);

  constructor(hands: Hands) {
    this.#hands = hands;
  }

  /** The stick that is being dragged, or null. */
  get stick(): ReadonlySignal<Stick | null> {
    return this.#stick;
  }

  /** Listens on `surface` until the returned function is called. */
  listen(surface: HTMLElement): () => void {
    const off = new AbortController();
    const until = { signal: off.signal };
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
    surface.addEventListener("contextmenu", (event) => this.receiveMenu(event), until);
    listenToAway(() => this.receiveAway(), off.signal);
    return () => {
      this.receiveAway();
      off.abort();
    };
  }

  /** A pointer came down on a screen of this size in CSS pixels; true where it became the stick. */
  receiveDown(touch: Touch, widthPx: number, heightPx: number): boolean {
    if (touch.button !== 0 || this.#stick.value !== null) {
      return false; // another button, or a second finger
    }
    this.#stick.value = {
      pointer: touch.pointerId,
      isTouch: touch.pointerType === "touch",
      x: touch.clientX,
      y: touch.clientY,
      dx: 0,
      dy: 0,
      reach: dragReachPx(widthPx, heightPx),
    };
    this.#hands.press(sourceOf(touch.pointerId), STILL, touch.timeStamp);
    return true;
  }

  receiveMove(touch: Touch): void {
    const stick = this.#stick.value;
    if (stick === null || stick.pointer !== touch.pointerId) {
      return;
    }
    if (touch.pointerType === "mouse" && (touch.buttons & 1) === 0) {
      this.receiveUp(stick.pointer); // the button went up where this page could not see it
      return;
    }
    const dx = touch.clientX - stick.x;
    const dy = touch.clientY - stick.y;
    this.#stick.value = { ...stick, dx, dy };
    this.#hands.move(sourceOf(stick.pointer), fromDrag(dx, dy, stick.reach), touch.timeStamp);
  }

  /** This pointer went up, was cancelled, or is no longer ours. */
  receiveUp(pointer: number): void {
    if (this.#stick.value?.pointer === pointer) {
      this.#stick.value = null;
      this.#hands.letGo(sourceOf(pointer));
    }
  }

  /**
   * A long touch asks for a menu on some phones: it is refused, and the finger holds on. A mouse's menu would take the
   * pointer away, and its release with it.
   */
  receiveMenu(event: Pick<Event, "preventDefault">): void {
    event.preventDefault();
    if (this.#stick.value?.isTouch === false) {
      this.receiveAway();
    }
  }

  /** The page lost the visitor's attention: the pointer's release may go elsewhere. */
  receiveAway(): void {
    if (this.#stick.value !== null) {
      this.receiveUp(this.#stick.value.pointer);
    }
  }
}

function sourceOf(pointer: number): string {
  return `pointer:${pointer}`;
}
