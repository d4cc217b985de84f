// Response curves: how a drag, a gamepad stick or a held key becomes a velocity.
import { DEAD_ZONE_PX } from "./gesture";
import { type Velocity, velocity, ZERO_VELOCITY } from "./velocity";

/** How much of the curve is cubic: most of the travel gives slow, precise turns, the last third fast ones. */
const EXPO = 0.65;
/** Nobody drags exactly level, so a direction within 8 degrees of an axis counts as along that axis. */
const AXIS_SNAP = Math.tan((8 * Math.PI) / 180);

/** Full speed is a third of the shorter side away, but within comfortable reach of a thumb and of a wrist. */
const REACH_FRACTION = 1 / 3;
const MIN_REACH_PX = 96;
const MAX_REACH_PX = 220;

/** The length of a drag, in CSS pixels, that means full speed on a screen of this size. */
export function dragReachPx(widthPx: number, heightPx: number): number {
  const third = Math.min(widthPx, heightPx) * REACH_FRACTION;
  return Math.min(MAX_REACH_PX, Math.max(MIN_REACH_PX, third));
}

/**
 * The velocity of a drag, as an offset from where it began in CSS pixels (right and down are positive).
 *
 * It works like a joystick: the view turns towards the finger, and the distance sets the speed.
 */
export function velocityFromDrag(dxPx: number, dyPx: number, reachPx: number): Velocity {
  return applyCurve(dxPx / reachPx, -dyPx / reachPx, DEAD_ZONE_PX / reachPx);
}

/** The velocity of a gamepad stick, whose axes run from -1 to 1 with right and down positive; none within `deadZone`. */
export function velocityFromStick(x: number, y: number, deadZone: number): Velocity {
  return applyCurve(x, -y, deadZone);
}

/** A key is only up or down, so the speed grows while it is held; a tap is a small step. */
const KEY_START_SPEED = 0.3;
const KEY_MAX_SPEED = 0.65;
export const KEY_RAMP_MS = 800;

/** The speed of a key that has been held for `heldMs`; `isFast` is the Shift key. */
export function keySpeed(heldMs: number, isFast: boolean): number {
  if (isFast) {
    return 1;
  }
  const progress = Math.min(1, Math.max(0, heldMs / KEY_RAMP_MS));
  return KEY_START_SPEED + (KEY_MAX_SPEED - KEY_START_SPEED) * progress;
}

function applyCurve(right: number, up: number, deadZone: number): Velocity {
  const length = Math.hypot(right, up);
  if (!(length > deadZone)) {
    return ZERO_VELOCITY; // also for NaN, which compares false
  }
  const travel = Math.min(1, (length - deadZone) / (1 - deadZone));
  const speed = (1 - EXPO) * travel + EXPO * travel ** 3;
  const [pan, tilt] = snapToAxis(right / length, up / length);
  return velocity(pan * speed, tilt * speed);
}

/** Subtracting the tolerance, rather than testing against it, keeps the direction continuous where snapping ends. */
function snapToAxis(right: number, up: number): readonly [number, number] {
  const snappedRight = Math.max(0, Math.abs(right) - AXIS_SNAP * Math.abs(up));
  const snappedUp = Math.max(0, Math.abs(up) - AXIS_SNAP * Math.abs(right));
  const length = Math.hypot(snappedRight, snappedUp);
  return [(Math.sign(right) * snappedRight) / length, (Math.sign(up) * snappedUp) / length];
}
