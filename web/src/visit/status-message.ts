// Chooses the one message that the page shows, from the whole state of a visit. Pure.
import type { ChannelState } from "../control/channel";
import type { PendingStop } from "../drive/driver";
import type { CutHold, CutReason, Hold } from "../drive/hold";
import type { Axis } from "../drive/velocity";
import type { StreamLack } from "../stage/stream";
import type { ViewerState } from "../stage/viewer";
import type { AxisState, Lease, StageState } from "../wire/messages";

export interface VisitState {
  readonly channel: ChannelState;
  readonly viewer: ViewerState;
  /** What this browser lacks to show the picture where only web pages get through; null for nothing. */
  readonly streamLack: StreamLack | null;
  readonly hold: Hold;
  readonly lease: Lease | null;
  readonly pendingStop: PendingStop | null;
  readonly pan: AxisState | null;
  readonly tilt: AxisState | null;
  readonly stage: StageState | null;
  /** Whether this visit has ever shown a picture. */
  readonly hasSeenPicture: boolean;
  /** Whether the visitor has moved the head in this visit. */
  readonly hasDriven: boolean;
}

/** Names the message for styles and tests, whatever its wording. */
export type Topic =
  | "ended"
  | "stop_lost"
  | "opening"
  | "full"
  | "no_picture"
  | "blocked"
  | "picture_lost"
  | "picture_frozen"
  | "reconnecting"
  | "hold_cut"
  | "other_drives"
  | "out_of_reach"
  | "limit"
  | "hint"
  | "nothing";

export interface StatusMessage {
  readonly topic: Topic;
  readonly text: string;
  /** A second sentence, such as what to do now; may be "". */
  readonly detail: string;
  readonly action: "take_over" | "try_again" | null;
}

const NOTHING = message("nothing", "");

/**
 * The message to show now.
 *
 * The order is a rule: what makes the rest impossible comes first. Without a picture it does not matter who drives, and
 * without a connection nobody knows. Only a stop that may not have arrived matters more than that.
 */
export function statusMessageFor(state: VisitState): StatusMessage {
  return (
    endedMessage(state) ??
    lostStopMessage(state) ??
    pictureMessage(state) ??
    connectionMessage(state) ??
    cutMessage(state.hold) ??
    leaseMessage(state) ??
    reachMessage(state) ??
    limitMessage(state) ??
    hintMessage(state)
  );
}

function endedMessage({ channel, viewer }: VisitState): StatusMessage | null {
  if (channel.kind !== "ended" && viewer.kind !== "ended") {
    return null;
  }
  const reason = channel.kind === "ended" ? channel.reason : "";
  return message("ended", reason || "This visit has ended.", "To visit again, ask for a new link.");
}

/** Whoever pressed stop must learn at once that it may not have worked, whatever else is wrong. */
function lostStopMessage({ pendingStop }: VisitState): StatusMessage | null {
  return pendingStop?.isLost === true
    ? message(
        "stop_lost",
        "Home can’t be reached right now.",
        "Your stop may not have arrived, but the camera stops by itself when nobody is turning it.",
      )
    : null;
}

function pictureMessage({ viewer, streamLack, stage, hasSeenPicture }: VisitState): StatusMessage | null {
  switch (viewer.kind) {
    case "live":
    case "closed":
    case "ended":
      return null;
    case "frozen":
      return (
        cameraMessage(stage) ??
        message("picture_frozen", "The picture has frozen.", "Waiting for it to come back…")
      );
    case "joining":
      return (
        cameraMessage(stage) ??
        (hasSeenPicture ? pictureLostMessage() : message("opening", "Opening the view…"))
      );
    case "waiting":
      if (viewer.failure === "full") {
        return message(
          "full",
          "Too many people are watching right now.",
          "Trying again by itself…",
          "try_again",
        );
      }
      if (viewer.failure === "no_picture") {
        return cameraMessage(stage) ?? message("no_picture", CAMERA_TEXT.failed, CAMERA_RETURNS);
      }
      return viewer.failure === "blocked"
        ? blockedMessage(streamLack)
        : (cameraMessage(stage) ?? pictureLostMessage());
  }
}

/** The server answers, but WebRTC does not get through, and this browser cannot show the picture in another way. */
function blockedMessage(lack: StreamLack | null): StatusMessage {
  const help =
    lack === "secure_context"
      ? "Open this page by its https:// address, or try another network."
      : "An up-to-date Chrome, Edge, Safari or Firefox would help, or another network.";
  return message("blocked", "This network does not let the picture through.", help, "try_again");
}

const CAMERA_RETURNS = "The picture comes back by itself.";
const CAMERA_NEEDS_HELP = "Someone at home has to look after it.";

/** What is wrong with the camera, for somebody who has never seen it. */
const CAMERA_TEXT: Record<Exclude<StageState["reason"], "">, string> = {
  not_found: "The camera can’t be found.",
  unplugged: "The camera is not plugged in.",
  busy: "Another program is using the camera.",
  no_permission: "The camera may not be used.",
  wrong_format: "The camera sends a picture that can’t be shown.",
  no_signal: "The camera sends no picture. It may be switched off.",
  too_slow: "The camera is too slow at the moment.",
  unreachable: "The camera can’t be reached.",
  refused: "The camera asks for another password.",
  program_failed: "The program that reads the camera has stopped.",
  ended: "The camera has stopped.",
  failed: "There is no picture from the camera right now.",
};

/** These do not go away by waiting. */
const NEEDS_HELP = new Set<StageState["reason"]>([
  "not_found",
  "unplugged",
  "no_permission",
  "wrong_format",
  "refused",
]);

/** The message about a camera that has no picture; a later server may know reasons that this page does not. */
function cameraMessage(stage: StageState | null): StatusMessage | null {
  if (stage === null || stage.available) {
    return null;
  }
  const detail = NEEDS_HELP.has(stage.reason) ? CAMERA_NEEDS_HELP : CAMERA_RETURNS;
  return message("no_picture", CAMERA_TEXT[stage.reason || "failed"] ?? CAMERA_TEXT.failed, detail);
}

function pictureLostMessage(): StatusMessage {
  return message("picture_lost", "The picture is gone for a moment.", "Getting it back…");
}

function connectionMessage({ channel }: VisitState): StatusMessage | null {
  switch (channel.kind) {
    case "connecting":
    case "waiting":
      // The first attempt is part of joining, and usually too quick for a message to be read.
      return channel.attempt === 0 && channel.kind === "connecting"
        ? null
        : message("reconnecting", "Reconnecting…", "You can look, but not turn the camera yet.");
    default:
      return null;
  }
}

/** Why a hold was cut; what to do about it is always the same. */
const CUT_TEXT: Record<CutReason, string> = {
  stopped: "Stopped.",
  other_drives: "Someone else is controlling the camera.",
  too_long: "That was a long turn, so the camera stopped.",
  too_late: "The connection was too slow for a moment.",
  too_slow: "The connection is too slow to turn the camera.",
  out_of_reach: "The camera’s motor stopped answering.",
  no_picture: "The picture froze, so the camera stopped.",
  offline: "The connection was lost for a moment.",
};

function cutMessage(hold: Hold): StatusMessage | null {
  return hold.kind === "cut" && hold.reason !== "other_drives"
    ? message("hold_cut", cutText(hold), "Let go and press again.")
    : null;
}

function cutText({ reason, delayMs }: CutHold): string {
  return reason === "too_slow" && delayMs !== undefined
    ? `The connection is too slow to turn the camera (${(delayMs / 1000).toFixed(1)} s behind).`
    : CUT_TEXT[reason];
}

function leaseMessage({ lease }: VisitState): StatusMessage | null {
  return lease?.holder === "other"
    ? message(
        "other_drives",
        "Someone else is controlling the camera.",
        "",
        lease.can_take ? "take_over" : null,
      )
    : null;
}

function reachMessage({ hold, pan, tilt }: VisitState): StatusMessage | null {
  if (pan === null || tilt === null) {
    return null;
  }
  const unreachable = unreachableAxes(pan, tilt);
  if (unreachable.length === 2 || (unreachable.length === 1 && (isAbsent(pan) || isAbsent(tilt)))) {
    return message(
      "out_of_reach",
      "The camera can’t be turned right now.",
      "You can still look. Trying to reach its motors…",
    );
  }
  if (unreachable.length === 1) {
    return unreachable[0] === "pan"
      ? message(
          "out_of_reach",
          "The camera can’t turn left or right at the moment.",
          "Up and down still work.",
        )
      : message(
          "out_of_reach",
          "The camera can’t turn up or down at the moment.",
          "Left and right still work.",
        );
  }
  return hold.kind === "live" && hold.lostAxes.length > 0
    ? message("hold_cut", "The camera can turn every way again.", "Let go and press again.")
    : null;
}

/** Axes that have a unit which cannot be reached. */
function unreachableAxes(pan: AxisState, tilt: AxisState): Axis[] {
  const isUnreachable = (axis: AxisState) => axis.link !== "ready" && !isAbsent(axis);
  return [...(isUnreachable(pan) ? ["pan" as const] : []), ...(isUnreachable(tilt) ? ["tilt" as const] : [])];
}

/** An axis without a unit is not a fault. */
function isAbsent(axis: AxisState): boolean {
  return axis.link === "disabled";
}

function limitMessage({ hold, pan, tilt }: VisitState): StatusMessage | null {
  if (hold.kind !== "live") {
    return null;
  }
  const isAtLimit = (axis: AxisState | null, asked: number) =>
    axis !== null && axis.limit !== 0 && Math.sign(asked) === axis.limit && Math.abs(asked) > 0.1;
  if (isAtLimit(pan, hold.velocity.pan)) {
    return message("limit", `That’s as far ${hold.velocity.pan > 0 ? "right" : "left"} as the camera turns.`);
  }
  if (isAtLimit(tilt, hold.velocity.tilt)) {
    return message("limit", `That’s as far ${hold.velocity.tilt > 0 ? "up" : "down"} as the camera turns.`);
  }
  return null;
}

function hintMessage({ viewer, hold, hasDriven }: VisitState): StatusMessage {
  return viewer.kind === "live" && !hasDriven && hold.kind === "none"
    ? message("hint", "Drag to look around.", "Or hold the arrow keys.")
    : NOTHING;
}

function message(
  topic: Topic,
  text: string,
  detail = "",
  action: StatusMessage["action"] = null,
): StatusMessage {
  return { topic, text, detail, action };
}
