// Where a gamepad's stick rests. Many do not rest in their middle, and where they do changes as they wear out.
//
// A stick that nobody touches stays where it is; a thumb trembles. What is learnt from that can only make the head slower:
// a stick asks for what it shows from its middle or from its resting place, whichever is less. So a thumb that was still
// enough to be taken for rest ends its turn, and lets nothing turn the other way when it lets go.

export interface StickPosition {
  /** -1 to 1, right positive. */
  readonly x: number;
  /** -1 to 1, down positive. */
  readonly y: number;
}

/** A stick that stays within RANGE for so long rests. */
const REST_MS = 2000;
const RANGE = 0.02;
/** Further out only a thumb holds it: at its rim a stick is perfectly still. */
const FURTHEST = 0.5;

export class StickRest {
  #rest: StickPosition = { x: 0, y: 0 };
  #since: { readonly at: StickPosition; readonly ms: number } | null = null;

  /** Takes a reading, and returns what of it a thumb means. */
  receive(position: StickPosition, nowMs: number): StickPosition {
    this.#learn(position, nowMs);
    return { x: meant(position.x, this.#rest.x), y: meant(position.y, this.#rest.y) };
  }

  #learn(position: StickPosition, nowMs: number): void {
    const since = this.#since;
    if (since === null || !isNear(position, since.at)) {
      this.#since = { at: position, ms: nowMs };
    } else if (nowMs - since.ms >= REST_MS && Math.hypot(position.x, position.y) < FURTHEST) {
      this.#rest = position;
    }
  }
}

function isNear(one: StickPosition, other: StickPosition): boolean {
  return Math.abs(one.x - other.x) <= RANGE && Math.abs(one.y - other.y) <= RANGE;
}

/** The lesser of both readings of one axis; nothing where they disagree about the direction. */
function meant(value: number, rest: number): number {
  const fromRest = (value - rest) / (value > rest ? 1 - rest : 1 + rest); // the rim still means full speed
  return Math.sign(fromRest) === Math.sign(value)
    ? Math.sign(value) * Math.min(Math.abs(value), Math.abs(fromRest))
    : 0;
}
