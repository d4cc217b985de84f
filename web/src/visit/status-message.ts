// Chooses the one message that the page shows, from the whole state of a visit, in the language of the page.
import type { ChannelState } from "../control/channel";
import type { PendingStop } from "../drive/driver";
import type { CutHold, Hold } from "../drive/hold";
import type { Axis } from "../drive/velocity";
import type { StreamLack } from "../stage/stream";
import type { ViewerState } from "../stage/viewer-ports";
import type { RetriedFailure } from "../stage/way";
import type { AxisState, Lease, LeaseAnswered, StageState } from "../wire/messages";
import { whenText } from "../words/times";
import { codeText, type Key, t } from "../words/words";
import type { RoomAccessState } from "./room-access";

export interface VisitState {
  readonly channel: ChannelState;
  readonly viewer: ViewerState;
  /** Whether the room lets the visitor look. */
  readonly roomAccess: RoomAccessState;
  readonly wallNowMs: number;
  /** What this browser lacks to show the picture where only web pages get through; null for nothing. */
  readonly streamLack: StreamLack | null;
  /** Whether the browser shows the picture only after a tap. */
  readonly isPlayRefused: boolean;
  readonly hold: Hold;
  readonly lease: Lease | null;
  /** In how many seconds the lease of a driver whose connection is lost will be free; null where nobody's is. */
  readonly freeInS: number | null;
  /** How the question of this page for the lease ended, as long as that is shown. */
  readonly answer: LeaseAnswered["answer"] | null;
  /** Whether the visitor chose to only watch. */
  readonly isWatchOnly: boolean;
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
  | "curtain"
  | "knock"
  | "waiting"
  | "refused"
  | "moved_on"
  | "quiet"
  | "open_again"
  | "opening"
  | "full"
  | "no_picture"
  | "blocked"
  | "misrouted"
  | "no_codec"
  | "tap_to_see"
  | "picture_lost"
  | "picture_frozen"
  | "reconnecting"
  | "hold_cut"
  | "other_drives"
  | "house_drives"
  | "granted"
  | "watch_only"
  | "out_of_reach"
  | "limit"
  | "hint"
  | "nothing";

export interface StatusMessage {
  readonly topic: Topic;
  readonly text: string;
  /** A second sentence, such as what to do now; may be "". */
  readonly detail: string;
  readonly action: "take_over" | "ask" | "drive_again" | "try_again" | "play" | "knock" | "look" | null;
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
    roomMessage(state) ??
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
  return message("ended", codeText("ended", reason, "status.ended"), t("status.ended.detail"));
}

/** Whoever pressed stop must learn at once that it may not have worked, whatever else is wrong. */
function lostStopMessage({ pendingStop }: VisitState): StatusMessage | null {
  return pendingStop?.isLost === true
    ? message("stop_lost", t("status.stop_lost"), t("status.stop_lost.detail"))
    : null;
}

/** What the room says to whoever would like to look. */
function roomMessage({ roomAccess, viewer, wallNowMs }: VisitState): StatusMessage | null {
  const openAgain = (isAfterCurtain: boolean) =>
    message(
      "open_again",
      t(isAfterCurtain ? "access.curtain_open_again" : "access.open"),
      t("access.look"),
      "look",
    );
  switch (roomAccess.kind) {
    case "open":
      return viewer.kind === "withheld" ? openAgain(false) : null;
    case "open_again":
      return openAgain(roomAccess.after === "curtain");
    case "curtain":
      return message("curtain", t("access.curtain"), t("access.curtain.detail"));
    case "knock":
      return message("knock", t("access.knock"), t("access.knock.detail"), "knock");
    case "waiting":
      return message("waiting", t("access.waiting"), t("access.waiting.detail"));
    case "quiet":
      return message("quiet", untilText("quiet", roomAccess.untilMs, wallNowMs), t("access.quiet.detail"));
    case "refused":
      return roomAccess.wasLooking
        ? message("moved_on", t("access.moved_on"), t("access.moved_on.detail"))
        : message("refused", t("access.refused"), untilText("refused", roomAccess.untilMs, wallNowMs));
  }
}

function untilText(what: "quiet" | "refused", untilMs: number | null, nowMs: number): string {
  if (untilMs === null) {
    return t(what === "quiet" ? "access.quiet" : "access.refused.detail");
  }
  return t(`access.${what}_until`, { time: whenText(untilMs, nowMs) });
}

function pictureMessage(state: VisitState): StatusMessage | null {
  const { viewer, isPlayRefused, stage, hasSeenPicture } = state;
  switch (viewer.kind) {
    case "live":
    case "closed":
    case "withheld":
    case "ended":
      return null;
    case "frozen":
      return (
        cameraMessage(stage) ??
        (isPlayRefused
          ? tapMessage()
          : message("picture_frozen", t("status.picture_frozen"), t("status.picture_frozen.detail")))
      );
    case "joining":
      if (isPlayRefused) {
        return cameraMessage(stage) ?? tapMessage();
      }
      if (viewer.after !== null) {
        return failureMessage(viewer.after, state); // what was wrong is wrong until there is a picture
      }
      return (
        cameraMessage(stage) ??
        (hasSeenPicture ? pictureLostMessage() : message("opening", t("status.opening")))
      );
    case "waiting":
      return failureMessage(viewer.failure, state);
  }
}

/** Why there is no picture, and what helps. */
function failureMessage(failure: RetriedFailure, { stage, streamLack }: VisitState): StatusMessage {
  switch (failure) {
    case "full":
      return message("full", t("status.full"), t("status.full.detail"), "try_again");
    case "no_picture":
      return cameraMessage(stage) ?? message("no_picture", t("camera.failed"), t("camera.returns"));
    case "blocked":
      return message("blocked", t("status.blocked"), t(BLOCKED_HELP[streamLack ?? "none"]), "try_again");
    case "misrouted":
      return message("misrouted", t("status.misrouted"), t("status.misrouted.detail"), "try_again");
    case "no_codec":
      return message("no_codec", t("status.no_codec"), t("status.no_codec.detail"), "try_again");
    case "failed":
      return cameraMessage(stage) ?? pictureLostMessage();
  }
}

/** The server answers, but its picture gets through neither by WebRTC nor, unless the browser lacks that, by a socket. */
const BLOCKED_HELP = {
  secure_context: "status.blocked.secure_context",
  decoder: "status.blocked.decoder",
  none: "status.blocked.sockets",
} as const satisfies Record<StreamLack | "none", Key>;

function tapMessage(): StatusMessage {
  return message("tap_to_see", t("status.tap_to_see"), t("status.tap_to_see.detail"), "play");
}

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
  const detail = t(NEEDS_HELP.has(stage.reason) ? "camera.needs_help" : "camera.returns");
  return message("no_picture", codeText("camera", stage.reason, "camera.failed"), detail);
}

function pictureLostMessage(): StatusMessage {
  return message("picture_lost", t("status.picture_lost"), t("status.picture_lost.detail"));
}

function connectionMessage({ channel }: VisitState): StatusMessage | null {
  switch (channel.kind) {
    case "connecting":
    case "waiting":
      // The first attempt is part of joining, and usually too quick for a message to be read.
      return channel.attempt === 0 && channel.kind === "connecting"
        ? null
        : message("reconnecting", t("status.reconnecting"), t("status.reconnecting.detail"));
    default:
      return null;
  }
}

/** Why a hold was cut; what to do about it is always the same. */
function cutMessage(hold: Hold): StatusMessage | null {
  return hold.kind === "cut" && hold.reason !== "other_drives" && hold.reason !== "watch_only"
    ? message("hold_cut", cutText(hold), t("status.press_again"))
    : null;
}

function cutText({ reason, delayMs }: CutHold): string {
  return reason === "too_slow" && delayMs !== undefined
    ? t("cut.too_slow_by", { seconds: Math.round(delayMs / 100) / 10 })
    : t(`cut.${reason}`);
}

function leaseMessage(state: VisitState): StatusMessage | null {
  const { lease, answer, isWatchOnly } = state;
  if (lease?.holder === "house") {
    return message("house_drives", t("status.house_drives"));
  }
  if (lease?.holder === "other") {
    return otherMessage(lease, state);
  }
  if (isWatchOnly) {
    return message("watch_only", t("status.watch_only"), "", "drive_again");
  }
  return lease?.holder === "you" && answer === "granted"
    ? message("granted", t("status.granted"), t("status.hint"))
    : null;
}

/** Who drives, and what this visitor can do about it. */
function otherMessage(lease: Lease, { freeInS, answer, isWatchOnly }: VisitState): StatusMessage {
  const { driver: name } = lease;
  const text = name === "" ? t("status.other_drives") : t("status.drives", { name });
  if (isWatchOnly) {
    return message("other_drives", text, t("status.watch_only"), "drive_again");
  }
  if (freeInS !== null && name !== "") {
    return message(
      "other_drives",
      t("status.driver_lost", { name }),
      t("status.free_in", { count: freeInS }),
      takeOver(lease),
    );
  }
  if (lease.asked_until !== null) {
    return message("other_drives", text, t("status.asked"));
  }
  if (answer === "denied" || answer === "unanswered") {
    return message("other_drives", text, t(`status.${answer}`), takeOver(lease));
  }
  return message("other_drives", text, "", takeOver(lease) ?? (lease.can_ask ? "ask" : null));
}

function takeOver(lease: Lease): "take_over" | null {
  return lease.can_take ? "take_over" : null;
}

function reachMessage({ hold, pan, tilt }: VisitState): StatusMessage | null {
  if (pan === null || tilt === null) {
    return null;
  }
  const unreachable = unreachableAxes(pan, tilt);
  if (unreachable.length === 2 || (unreachable.length === 1 && (isAbsent(pan) || isAbsent(tilt)))) {
    return message("out_of_reach", t("status.out_of_reach"), t("status.out_of_reach.detail"));
  }
  if (unreachable.length === 1) {
    return unreachable[0] === "pan"
      ? message("out_of_reach", t("status.pan_lost"), t("status.pan_lost.detail"))
      : message("out_of_reach", t("status.tilt_lost"), t("status.tilt_lost.detail"));
  }
  return hold.kind === "live" && hold.lostAxes.length > 0
    ? message("hold_cut", t("status.axes_back"), t("status.press_again"))
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
    return message("limit", t(hold.velocity.pan > 0 ? "status.limit.right" : "status.limit.left"));
  }
  if (isAtLimit(tilt, hold.velocity.tilt)) {
    return message("limit", t(hold.velocity.tilt > 0 ? "status.limit.up" : "status.limit.down"));
  }
  return null;
}

function hintMessage({ viewer, hold, hasDriven }: VisitState): StatusMessage {
  return viewer.kind === "live" && !hasDriven && hold.kind === "none"
    ? message("hint", t("status.hint"), t("status.hint.detail"))
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
