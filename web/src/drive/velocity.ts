// The velocity that is asked of the head: a fraction of full speed for each axis.

export type Axis = "pan" | "tilt";

export interface Velocity {
  /** -1 (full speed left) to 1 (full speed right). */
  readonly pan: number;
  /** -1 (full speed down) to 1 (full speed up). */
  readonly tilt: number;
}

export const ZERO_VELOCITY: Velocity = { pan: 0, tilt: 0 };

/** The head has 999 speeds in each direction; rounding to its resolution avoids messages that would change nothing. */
const STEPS = 1000;

/** Clamps to [-1, 1] and rounds to the head's resolution; never a negative zero or NaN. */
export function velocity(pan: number, tilt: number): Velocity {
  return { pan: quantize(pan), tilt: quantize(tilt) };
}

export function isEqual(a: Velocity, b: Velocity): boolean {
  return a.pan === b.pan && a.tilt === b.tilt;
}

export function isZero(v: Velocity): boolean {
  return v.pan === 0 && v.tilt === 0;
}

function quantize(value: number): number {
  if (!Number.isFinite(value)) {
    return 0;
  }
  return Math.round(Math.min(1, Math.max(-1, value)) * STEPS) / STEPS || 0; // `|| 0` turns -0 into 0
}
