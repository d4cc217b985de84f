// Recognises what fingers or the mouse mean on the picture: a drag, two fingers that zoom, or a double tap. Pure: pointers
// go in, effects come out; timers, the DOM and the head are elsewhere.
//
//   nothing --down, alone--> pressed --leaves the dead zone, once settled--> dragging
//                            pressed, dragging --second finger--> pinching
//   each --a pointer is lifted, cancelled or unclear--> nothing
//
// The head must never move by mistake, and the first finger of a pinch looks like the beginning of a drag. So three rules
// hold whatever the order of events: only a pointer that is alone on the picture drags; a second one ends that within the
// same event; and after two pointers, or an interruption, none of those that are still down drags, until all are lifted.

/** A finger that rests on the screen trembles by about this much: it means no drag, and a tap may move that far. */
export const DEAD_ZONE_PX = 8;
/** The two fingers of a pinch rarely touch at the same time. A first finger drags nothing for this long. */
export const SETTLE_MS = 80;
/** A finger that stays longer rests; it does not tap. */
const TAP_MS = 250;
/** From the end of a tap to the end of the one that makes it a double tap. */
const DOUBLE_TAP_MS = 350;
/** How far the second tap may be from the first: thumbs are not precise. */
const DOUBLE_TAP_PX = 48;

export interface Point {
  readonly xPx: number;
  readonly yPx: number;
}

export interface GesturePointer extends Point {
  readonly pointerId: number;
  /** Only fingers pinch. A mouse has nothing to wait for. */
  readonly isTouch: boolean;
  /** Whether the browser knows of no other finger that is down. */
  readonly isPrimary: boolean;
  readonly atMs: number;
}

export type GestureEffect =
  /** A drag began, or went on, this far from where the pointer was pressed. */
  | {
      readonly kind: "press" | "drag";
      readonly pointerId: number;
      readonly dxPx: number;
      readonly dyPx: number;
    }
  | { readonly kind: "release"; readonly pointerId: number }
  /** Two fingers moved: their distance grew by `factor`, their middle moved. */
  | { readonly kind: "pinch"; readonly factor: number; readonly from: Point; readonly to: Point }
  | { readonly kind: "double_tap"; readonly at: Point };

/** A pointer that drags, or could: alone on the picture, and settled. */
export interface Stick {
  readonly pointerId: number;
  readonly isTouch: boolean;
  readonly centre: Point;
  readonly dxPx: number;
  readonly dyPx: number;
}

type State =
  | { readonly kind: "nothing" }
  | { readonly kind: "pressed"; readonly first: GesturePointer; isSettled: boolean; hasMoved: boolean }
  | { readonly kind: "dragging"; readonly first: GesturePointer }
  | { readonly kind: "pinching"; readonly ids: readonly [number, number] };

/** Pointers may be down all the same: what they began has ended. */
const NOTHING: State = { kind: "nothing" };

export class GestureRecognizer {
  #state: State = NOTHING;
  /** Every pointer that is down, where it is now. */
  readonly #down = new Map<number, GesturePointer>();
  #lastTap: GesturePointer | null = null;

  /** Whether `settle` is to be called SETTLE_MS after the newest pointer was pressed. */
  get isSettling(): boolean {
    return this.#state.kind === "pressed" && !this.#state.isSettled;
  }

  /** The pointer to draw a joystick for, or null. */
  get stick(): Stick | null {
    const state = this.#state;
    if (state.kind !== "dragging" && !(state.kind === "pressed" && state.isSettled)) {
      return null;
    }
    const { pointerId, isTouch, xPx, yPx } = state.first;
    return { pointerId, isTouch, centre: { xPx, yPx }, ...this.#offset(state.first) };
  }

  /** A pointer was pressed on the picture. */
  receiveDown(pointer: GesturePointer): GestureEffect[] {
    const effects = this.#forgetStale(pointer);
    const state = this.#state;
    const isAlone = this.#down.size === 0;
    this.#down.set(pointer.pointerId, pointer);
    if (isAlone) {
      this.#state = { kind: "pressed", first: pointer, isSettled: !pointer.isTouch, hasMoved: false };
      return effects;
    }
    this.#lastTap = null;
    if (state.kind === "pressed" || state.kind === "dragging") {
      effects.push(...this.#end());
      const isPinch = state.first.isTouch && pointer.isTouch;
      this.#state = isPinch ? { kind: "pinching", ids: [state.first.pointerId, pointer.pointerId] } : NOTHING;
    }
    return effects;
  }

  /** A pointer moved; pointers that were not pressed here are ignored. */
  receiveMove(pointer: GesturePointer): GestureEffect[] {
    const before = this.#down.get(pointer.pointerId);
    if (before === undefined) {
      return [];
    }
    const state = this.#state;
    const middle = state.kind === "pinching" ? this.#middle(state.ids) : null;
    this.#down.set(pointer.pointerId, pointer);
    switch (state.kind) {
      case "pressed":
        state.hasMoved ||= this.#length(state.first) > DEAD_ZONE_PX;
        return this.#dragOnceClear();
      case "dragging":
        return [this.#drag("drag", state.first)];
      case "pinching":
        return middle === null || !state.ids.includes(pointer.pointerId)
          ? []
          : this.#pinch(state.ids, middle);
      default:
        return [];
    }
  }

  /** SETTLE_MS have passed, so a pointer that is still alone means what it does. */
  settle(): GestureEffect[] {
    if (this.#state.kind !== "pressed") {
      return [];
    }
    this.#state.isSettled = true;
    return this.#dragOnceClear();
  }

  /** A pointer was lifted. */
  receiveUp(pointerId: number, atMs: number): GestureEffect[] {
    const pointer = this.#down.get(pointerId);
    const state = this.#state;
    const effects = this.#lift(pointerId);
    if (
      pointer === undefined ||
      state.kind !== "pressed" ||
      state.hasMoved ||
      atMs - state.first.atMs > TAP_MS
    ) {
      return effects;
    }
    const tap = { ...pointer, atMs };
    const isSecond = this.#lastTap !== null && isNear(this.#lastTap, tap);
    this.#lastTap = isSecond ? null : tap;
    return isSecond ? [...effects, { kind: "double_tap", at: tap }] : effects;
  }

  /** The browser took a pointer away: for a gesture of its own, a palm, or because its capture was lost. */
  receiveCancel(pointerId: number): GestureEffect[] {
    if (this.#down.has(pointerId)) {
      this.#lastTap = null; // the capture of a pointer that was lifted is lost too, and that says nothing
    }
    return this.#lift(pointerId);
  }

  /** Ends whatever goes on. Pointers that are down must be lifted before one drags again. */
  interrupt(): GestureEffect[] {
    const effects = this.#end();
    this.#lastTap = null;
    this.#state = NOTHING;
    return effects;
  }

  /** Pointers that cannot be down any more although nobody said so: else they would keep all others from dragging. */
  #forgetStale(pressed: GesturePointer): GestureEffect[] {
    const stale = [...this.#down.values()].filter(
      (pointer) =>
        pointer.pointerId === pressed.pointerId || (pointer.isTouch && pressed.isTouch && pressed.isPrimary),
    );
    return stale.flatMap(({ pointerId }) => this.receiveCancel(pointerId));
  }

  #lift(pointerId: number): GestureEffect[] {
    if (!this.#down.has(pointerId)) {
      return [];
    }
    const effects = this.#end();
    this.#down.delete(pointerId);
    this.#state = NOTHING;
    return effects;
  }

  #end(): GestureEffect[] {
    return this.#state.kind === "dragging"
      ? [{ kind: "release", pointerId: this.#state.first.pointerId }]
      : [];
  }

  #dragOnceClear(): GestureEffect[] {
    const state = this.#state;
    if (state.kind !== "pressed" || !state.isSettled || this.#length(state.first) <= DEAD_ZONE_PX) {
      return [];
    }
    this.#lastTap = null;
    this.#state = { kind: "dragging", first: state.first };
    return [this.#drag("press", state.first)];
  }

  #drag(kind: "press" | "drag", first: GesturePointer): GestureEffect {
    return { kind, pointerId: first.pointerId, ...this.#offset(first) };
  }

  #pinch(ids: readonly [number, number], from: Middle): GestureEffect[] {
    const to = this.#middle(ids);
    return to === null
      ? []
      : [{ kind: "pinch", factor: to.spreadPx / from.spreadPx, from: from.at, to: to.at }];
  }

  #middle([one, other]: readonly [number, number]): Middle | null {
    const a = this.#down.get(one);
    const b = this.#down.get(other);
    if (a === undefined || b === undefined) {
      return null;
    }
    const spreadPx = Math.max(MIN_SPREAD_PX, Math.hypot(a.xPx - b.xPx, a.yPx - b.yPx));
    return { at: { xPx: (a.xPx + b.xPx) / 2, yPx: (a.yPx + b.yPx) / 2 }, spreadPx };
  }

  #offset(first: GesturePointer): { dxPx: number; dyPx: number } {
    const now = this.#down.get(first.pointerId) ?? first;
    return { dxPx: now.xPx - first.xPx, dyPx: now.yPx - first.yPx };
  }

  #length(first: GesturePointer): number {
    const { dxPx, dyPx } = this.#offset(first);
    return Math.hypot(dxPx, dyPx);
  }
}

interface Middle {
  readonly at: Point;
  readonly spreadPx: number;
}

/** Fingers cannot be closer than they are thick; a smaller distance would make the zoom jump, or divide by zero. */
const MIN_SPREAD_PX = 24;

function isNear(first: GesturePointer, second: GesturePointer): boolean {
  return (
    second.atMs - first.atMs <= DOUBLE_TAP_MS &&
    Math.hypot(second.xPx - first.xPx, second.yPx - first.yPx) <= DOUBLE_TAP_PX
  );
}
