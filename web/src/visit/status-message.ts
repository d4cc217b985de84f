// What the page says, in plain words: the one thing that matters most now. Pure: the whole situation in, words out.
import type { ChannelState } from "../control/channel";
import type { PendingStop } from "../drive/driver";
import type { CutHold, CutReason, Hold } from "../drive/hold";
import type { Axis } from "../drive/velocity";
import type { ViewerState } from "../stage/viewer";
import type { AxisState, Lease, StageState } from "../wire/messages";

export interface Situation {
  readonly channel: ChannelState;
  readonly viewer: ViewerState;
  readonly hold: Hold;
  readonly lease: Lease | null;
  readonly pendingStop: PendingStop | null;
  readonly pan: AxisState | null;
  readonly tilt: AxisState | null;
  readonly stage: StageState | null;
  /** Whether a picture was ever shown in this visit. */
  readonly hasSeen: boolean;
  /** Whether this visitor has turned the head in this visit. */
  readonly hasDriven: boolean;
}

/** Names of what is said, for styles and tests; the words may change, these do not. */
export type Topic =
  | "ended"
  | "stop_lost"
  | "opening"
  | "full"
  | "no_picture"
  | "picture_lost"
  | "picture_frozen"
  | "reconnecting"
  | "let_go"
  | "other_drives"
  | "out_of_reach"
  | "limit"
  | "hint"
  | "nothing";

export interface Saying {
  readonly topic: Topic;
  readonly words: string;
  /** More, where it helps; "" where it does not. */
  readonly more: string;
  readonly action: "take_over" | "try_again" | null;
}

const NOTHING = said("nothing", "");

/** The one thing to say now; what makes the rest impossible comes first. */
export function say(situation: Situation): Saying {
  return (
    sayEnded(situation) ??
    sendStop(situation) ??
    sayPicture(situation) ??
    sayConnection(situation) ??
    sayHold(situation.hold) ??
    sayLease(situation) ??
    sayReach(situation) ??
    sayLimit(situation) ??
    sayHint(situation)
  );
}

function sayEnded({ channel, viewer }: Situation): Saying | null {
  if (channel.kind !== "ended" && viewer.kind !== "ended") {
    return null;
  }
  const why = channel.kind === "ended" ? channel.reason : "";
  return said("ended", why || "This visit has ended.", "Ask for a new link to come in again.");
}

/** Whoever pressed stop must know at once that it did not get there, whatever else is wrong. */
function sendStop({ pendingStop }: Situation): Saying | null {
  return pendingStop?.isLost === true
    ? said(
        "stop_lost",
        "Home is out of reach.",
        "Your stop may not have arrived, but the camera stops by itself as soon as nobody turns it.",
      )
    : null;
}

function sayPicture({ viewer, stage, hasSeen }: Situation): Saying | null {
  switch (viewer.kind) {
    case "live":
    case "closed":
    case "ended":
      return null;
    case "frozen":
      return said("picture_frozen", "The picture has stopped.", "Waiting for it…");
    case "joining":
      return hasSeen ? pictureLost() : said("opening", "Opening the view…");
    case "waiting":
      if (viewer.failure === "full") {
        return said("full", "Too many people are looking right now.", "Trying again by itself.", "try_again");
      }
      if (viewer.failure === "no_picture" || stage?.available === false) {
        return said("no_picture", "The camera gives no picture right now.", "Trying again by itself.");
      }
      return pictureLost();
  }
}

function pictureLost(): Saying {
  return said("picture_lost", "The picture is lost.", "Getting it back…");
}

function sayConnection({ channel }: Situation): Saying | null {
  switch (channel.kind) {
    case "connecting":
    case "waiting":
      // The first attempt is part of opening, and quicker than it can be read.
      return channel.attempt === 0 && channel.kind === "connecting"
        ? null
        : said("reconnecting", "Reconnecting…", "You can look, but not turn the camera.");
    default:
      return null;
  }
}

/** Why the hold ended, and what to do: always the same thing. */
const CUT: Record<CutReason, string> = {
  stopped: "Stopped.",
  other_drives: "Someone else is driving.",
  too_long: "That was a long turn.",
  too_late: "The connection is too slow.",
  too_slow: "The connection home is too slow to steer.",
  out_of_reach: "The camera head is out of reach.",
  no_picture: "The picture stopped, so your turn ended.",
  offline: "There is no connection.",
};

function sayHold(hold: Hold): Saying | null {
  return hold.kind === "cut" && hold.reason !== "other_drives"
    ? said("let_go", cutWords(hold), "Let go and press again.")
    : null;
}

function cutWords({ reason, delayMs }: CutHold): string {
  return reason === "too_slow" && delayMs !== undefined
    ? `The connection home is too slow to steer: ${(delayMs / 1000).toFixed(1)} s.`
    : CUT[reason];
}

function sayLease({ lease }: Situation): Saying | null {
  return lease?.holder === "other"
    ? said("other_drives", "Someone else is driving.", "", lease.can_take ? "take_over" : null)
    : null;
}

function sayReach({ hold, pan, tilt }: Situation): Saying | null {
  if (pan === null || tilt === null) {
    return null;
  }
  const lost = lostAxes(pan, tilt);
  if (lost.length === 2 || (lost.length === 1 && (isAbsent(pan) || isAbsent(tilt)))) {
    return said(
      "out_of_reach",
      "The camera head is out of reach.",
      "You can look, but not turn. Still trying.",
    );
  }
  if (lost.length === 1) {
    const words = lost[0] === "pan" ? "Left and right are out of reach." : "Up and down are out of reach.";
    return said("out_of_reach", words, "Still trying.");
  }
  return hold.kind === "live" && hold.lostAxes.length > 0
    ? said("let_go", "The camera head is back.", "Let go and press again.")
    : null;
}

/** Axes that ought to turn and cannot. */
export function lostAxes(pan: AxisState, tilt: AxisState): Axis[] {
  const isLost = (axis: AxisState) => axis.link !== "ready" && !isAbsent(axis);
  return [...(isLost(pan) ? ["pan" as const] : []), ...(isLost(tilt) ? ["tilt" as const] : [])];
}

/** An axis without a unit is no fault. */
function isAbsent(axis: AxisState): boolean {
  return axis.link === "disabled";
}

function sayLimit({ hold, pan, tilt }: Situation): Saying | null {
  if (hold.kind !== "live") {
    return null;
  }
  const isAt = (axis: AxisState | null, wanted: number) =>
    axis !== null && axis.limit !== 0 && Math.sign(wanted) === axis.limit && Math.abs(wanted) > 0.1;
  if (isAt(pan, hold.velocity.pan)) {
    return said("limit", `That is as far as it turns to the ${hold.velocity.pan > 0 ? "right" : "left"}.`);
  }
  if (isAt(tilt, hold.velocity.tilt)) {
    return said("limit", `That is as far as it turns ${hold.velocity.tilt > 0 ? "up" : "down"}.`);
  }
  return null;
}

function sayHint({ viewer, hold, hasDriven }: Situation): Saying {
  return viewer.kind === "live" && !hasDriven && hold.kind === "none"
    ? said("hint", "Drag to look around.", "Or hold the arrow keys.")
    : NOTHING;
}

function said(topic: Topic, words: string, more = "", action: Saying["action"] = null): Saying {
  return { topic, words, more, action };
}
