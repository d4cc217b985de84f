// The state machine of a hold: what one input source does to the head from press to release. Pure: a hold goes in, the
// next hold comes out. When and whether anything is sent is not decided here.
//
//   none --press--> live --move--> live
//                   live --release--> none
//                   live --cut-------> cut --release--> none
//                                      cut --press by another source--> live
//
// A hold that was cut never becomes live again: the same source must release before its next press counts.
import { type Axis, type Velocity, ZERO_VELOCITY } from "./velocity";

/** The input that holds: `pointer:7`, `keys` or `gamepad:0`. */
export type InputSource = string;

/** Why a hold ended although the visitor had not released it. */
export type CutReason =
  | "stopped" // somebody pressed stop
  | "other_drives" // someone else drives, or took over
  | "watch_only" // the visitor chose to only watch
  | "too_long" // a hold has a maximum duration
  | "too_late" // messages arrived too late, or not at all
  | "too_slow" // the connection takes too long for driving
  | "out_of_reach" // the head cannot be reached
  | "no_picture" // nobody may turn what they cannot see
  | "offline"; // the server cannot be reached

export interface LiveHold {
  readonly kind: "live";
  /** Rises with every press for as long as the page is loaded. */
  readonly number: number;
  readonly source: InputSource;
  readonly velocity: Velocity;
  /** When the input was read, on the page's clock. */
  readonly readAtMs: number;
  /** Axes that this hold no longer moves because their unit went out of reach. The other axis goes on. */
  readonly lostAxes: readonly Axis[];
}

export interface CutHold {
  readonly kind: "cut";
  readonly number: number;
  readonly source: InputSource;
  readonly reason: CutReason;
  /** With `too_slow`: how old a command may have been when it arrived. */
  readonly delayMs?: number;
}

export type Hold = { readonly kind: "none"; readonly number: number } | LiveHold | CutHold;

export const NO_HOLD: Hold = { kind: "none", number: 0 };

/** A new press begins a hold, unless another source holds already: only one drives at a time. */
export function press(hold: Hold, source: InputSource, velocity: Velocity, readAtMs: number): Hold {
  if (hold.kind === "live" || (hold.kind === "cut" && hold.source === source)) {
    return hold;
  }
  return { kind: "live", number: hold.number + 1, source, velocity, readAtMs, lostAxes: [] };
}

/** The input moved; ignored unless it comes from the source of a live hold. */
export function move(hold: Hold, source: InputSource, velocity: Velocity, readAtMs: number): Hold {
  return hold.kind === "live" && hold.source === source ? { ...hold, velocity, readAtMs } : hold;
}

/** The input was released; after a cut this is what allows the same source to press again. */
export function release(hold: Hold, source: InputSource): Hold {
  return hold.kind !== "none" && hold.source === source ? { kind: "none", number: hold.number } : hold;
}

/** Ends the hold for good although the input may still be pressed. */
export function cut(hold: Hold, reason: CutReason, delayMs?: number): Hold {
  if (hold.kind !== "live") {
    return hold;
  }
  const { number, source } = hold;
  return { kind: "cut", number, source, reason, ...(delayMs === undefined ? {} : { delayMs }) };
}

/** Ends one axis of the hold; where the input moves no other axis, the whole hold ends. */
export function cutAxis(hold: Hold, axis: Axis, reason: CutReason): Hold {
  if (hold.kind !== "live") {
    return hold;
  }
  const lostAxes = [...hold.lostAxes.filter((other) => other !== axis), axis];
  const isAnyLeft = (["pan", "tilt"] as const).some(
    (other) => !lostAxes.includes(other) && hold.velocity[other] !== 0,
  );
  return isAnyLeft ? { ...hold, lostAxes } : cut(hold, reason);
}

/** The velocity that the hold asks for now: zero unless it is live. */
export function velocityOf(hold: Hold): Velocity {
  return hold.kind === "live" ? hold.velocity : ZERO_VELOCITY;
}
