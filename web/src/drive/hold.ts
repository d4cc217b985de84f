// One hand on the head: pressed, moving, let go, or cut off by somebody or something else. Pure: a hold goes in, the
// next hold comes out. When and whether anything is sent is not decided here.
import { type Axis, STILL, type Velocity } from "./velocity";

/** What holds: `pointer:7`, `keys` or `gamepad:0`. */
export type Source = string;

/** Why a hold ended although the visitor had not let go. */
export type CutReason =
  | "stopped" // somebody pressed stop
  | "other_drives" // someone else drives, or took over
  | "too_long" // every hold has an end
  | "too_slow" // what was sent arrived too late, or not at all
  | "too_far" // the way home takes too long to steer
  | "out_of_reach" // the head cannot be reached
  | "no_picture" // nobody turns what they cannot see
  | "offline"; // the server cannot be reached

export interface LiveHold {
  readonly kind: "live";
  /** Rises with every press, for the life of the page. */
  readonly number: number;
  readonly source: Source;
  readonly velocity: Velocity;
  /** When the hand was read, on the page's clock. */
  readonly readAtMs: number;
  /** Axes that this hold moves no more: their unit went out of reach. The other axis goes on. */
  readonly lost: readonly Axis[];
}

export interface CutHold {
  readonly kind: "cut";
  readonly number: number;
  readonly source: Source;
  readonly reason: CutReason;
  /** With `too_far`: how old a command was when it came home, at most. */
  readonly delayMs?: number;
}

export type Hold = { readonly kind: "none"; readonly number: number } | LiveHold | CutHold;

export const NO_HOLD: Hold = { kind: "none", number: 0 };

/** A fresh press; another source's live hold stays, because one hand is enough. */
export function press(hold: Hold, source: Source, velocity: Velocity, readAtMs: number): Hold {
  if (hold.kind === "live" || (hold.kind === "cut" && hold.source === source)) {
    return hold;
  }
  return { kind: "live", number: hold.number + 1, source, velocity, readAtMs, lost: [] };
}

/** The hand moved; only the hand that pressed, and only while its hold lives. */
export function move(hold: Hold, source: Source, velocity: Velocity, readAtMs: number): Hold {
  return hold.kind === "live" && hold.source === source ? { ...hold, velocity, readAtMs } : hold;
}

/** The hand let go; after a cut this is what makes the next press a fresh one. */
export function letGo(hold: Hold, source: Source): Hold {
  return hold.kind !== "none" && hold.source === source ? { kind: "none", number: hold.number } : hold;
}

/** The hold ends although the hand is still there; it never lives again. */
export function cut(hold: Hold, reason: CutReason, delayMs?: number): Hold {
  if (hold.kind !== "live") {
    return hold;
  }
  const { number, source } = hold;
  return { kind: "cut", number, source, reason, ...(delayMs === undefined ? {} : { delayMs }) };
}

/** One axis of the hold ends; where the hand asks nothing else of the head, that is the end of the whole hold. */
export function cutAxis(hold: Hold, axis: Axis, reason: CutReason): Hold {
  if (hold.kind !== "live") {
    return hold;
  }
  const lost = [...hold.lost.filter((other) => other !== axis), axis];
  const isAnythingLeft = (["pan", "tilt"] as const).some(
    (other) => !lost.includes(other) && hold.velocity[other] !== 0,
  );
  return isAnythingLeft ? { ...hold, lost } : cut(hold, reason);
}

/** What the hold means now: anything but stillness needs a live one. */
export function velocityOf(hold: Hold): Velocity {
  return hold.kind === "live" ? hold.velocity : STILL;
}
