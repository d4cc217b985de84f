// How far a hand moved becomes how fast the head turns: for a finger, a stick and a key.
import { STILL, type Velocity, velocity } from "./velocity";

/** How much of the curve is cubic: most of the travel is for slow, exact turns, the last third for fast ones. */
const EXPO = 0.65;
/** A finger put down to look around trembles this much (CSS pixels) before it means anything. */
const FINGER_DEAD_PX = 8;
/** Sticks rest up to this far from their centre. */
const STICK_DEAD = 0.12;
/** A hand that wants to turn sideways is seldom exactly level: tan(8 degrees) is forgiven. */
const CROSS = Math.tan((8 * Math.PI) / 180);

/** Full speed at a third of the shorter side, within what a thumb (at least) and a wrist (at most) can do. */
const REACH_SHARE = 1 / 3;
const REACH_LEAST_PX = 96;
const REACH_MOST_PX = 220;

/** How far in CSS pixels a finger travels to full speed on a screen of this size. */
export function dragReachPx(widthPx: number, heightPx: number): number {
  const third = Math.min(widthPx, heightPx) * REACH_SHARE;
  return Math.min(REACH_MOST_PX, Math.max(REACH_LEAST_PX, third));
}

/**
 * The velocity of a drag that stands `dx`, `dy` CSS pixels (right and down are positive) from where it began.
 *
 * Like a stick: the view turns towards the finger, and the finger's distance is its speed.
 */
export function fromDrag(dxPx: number, dyPx: number, reach: number): Velocity {
  return shape(dxPx / reach, -dyPx / reach, FINGER_DEAD_PX / reach);
}

/** The velocity of a gamepad stick, whose axes are -1 to 1 with right and down positive. */
export function fromStick(x: number, y: number): Velocity {
  return shape(x, -y, STICK_DEAD);
}

/** Keys know no distance: speed grows while they are held, so that a tap is a small step. */
const KEY_FIRST = 0.3;
const KEY_FULL = 0.65;
export const KEY_RAMP_MS = 800;

/** The speed of a key held for `heldMs`; `isFast` is the Shift key. */
export function keySpeed(heldMs: number, isFast: boolean): number {
  if (isFast) {
    return 1;
  }
  const share = Math.min(1, Math.max(0, heldMs / KEY_RAMP_MS));
  return KEY_FIRST + (KEY_FULL - KEY_FIRST) * share;
}

function shape(right: number, up: number, dead: number): Velocity {
  const length = Math.hypot(right, up);
  if (!(length > dead)) {
    return STILL;
  }
  const travel = Math.min(1, (length - dead) / (1 - dead));
  const speed = (1 - EXPO) * travel + EXPO * travel ** 3;
  const [pan, tilt] = forgiveSlant(right / length, up / length);
  return velocity(pan * speed, tilt * speed);
}

/** Takes a slight slant away, without a jump where forgiveness ends. */
function forgiveSlant(right: number, up: number): readonly [number, number] {
  const lessRight = Math.max(0, Math.abs(right) - CROSS * Math.abs(up));
  const lessUp = Math.max(0, Math.abs(up) - CROSS * Math.abs(right));
  const length = Math.hypot(lessRight, lessUp);
  return [(Math.sign(right) * lessRight) / length, (Math.sign(up) * lessUp) / length];
}
