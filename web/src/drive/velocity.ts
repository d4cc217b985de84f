// What a hand asks of the head: a share of full speed for each axis.

export type Axis = "pan" | "tilt";

export interface Velocity {
  /** -1 (full speed left) to 1 (full speed right). */
  readonly pan: number;
  /** -1 (full speed down) to 1 (full speed up). */
  readonly tilt: number;
}

export const STILL: Velocity = { pan: 0, tilt: 0 };

/** The head knows 999 speeds a side, so a finer difference is no difference. */
const STEPS = 1000;

/** The velocity within [-1, 1] and rounded to what the head can tell apart; never a negative zero or NaN. */
export function velocity(pan: number, tilt: number): Velocity {
  return { pan: share(pan), tilt: share(tilt) };
}

export function isSame(a: Velocity, b: Velocity): boolean {
  return a.pan === b.pan && a.tilt === b.tilt;
}

export function isStill(v: Velocity): boolean {
  return v.pan === 0 && v.tilt === 0;
}

function share(value: number): number {
  if (!Number.isFinite(value)) {
    return 0;
  }
  return Math.round(Math.min(1, Math.max(-1, value)) * STEPS) / STEPS || 0;
}
