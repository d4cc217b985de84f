// The wire messages of `belvedere.v1`, generated from contract/ by `npm run types`: not edited by hand.

/** Every message that a client can send. */
export type ClientMessage =
  | Hello
  | Ping
  | Drive
  | Release
  | Stop
  | LeaseAcquire
  | LeaseTake
  | LeaseAsk
  | LeaseAnswer
  | LeaseGive
  | LeaseReturn
  | Knock
  | RoomCurtain
  | RoomAnswer
  | RoomMicrophone
  | Talk
  | TalkOver;

/** The first message on a socket; only `stop` is accepted before it. */
export interface Hello {
  readonly type: "hello";
  readonly clock: number;
}

/** Keeps the lease, and measures the round-trip time. */
export interface Ping {
  readonly type: "ping";
  readonly clock: number;
}

/**
 * The setpoint of a held stick, re-sent at 20 Hz while it is held.
 *
 * Attributes:
 *     epoch: the lease's epoch, from `lease`.
 *     hold: a number that rises with every fresh press.
 *     seq: a number that rises with every message of this epoch.
 *     pan: share of full speed, right is positive.
 *     tilt: share of full speed, up is positive.
 *     clock: the client's clock when the input was read.
 *     heard: the newest time of the server's clock that the client received on this socket (`server` of `welcome` or
 *         `pong`, `written` of `ack`). The message is younger than that, whatever the client's clock says; one that
 *         may be older than `max_age_ms` is refused, so a client that drives pings a few times a second.
 */
export interface Drive {
  readonly type: "drive";
  readonly epoch: number;
  readonly hold: number;
  readonly seq: number;
  readonly pan: number;
  readonly tilt: number;
  readonly clock: number;
  readonly heard: number;
}

/** The visitor ended this hold; it never moves anything again. */
export interface Release {
  readonly type: "release";
  readonly epoch: number;
  readonly hold: number;
  readonly seq: number;
  readonly clock: number;
}

/** Stop both axes now; every session may send it, driving or not. */
export interface Stop {
  readonly type: "stop";
}

/** Ask for the lease, if it is free. */
export interface LeaseAcquire {
  readonly type: "lease.acquire";
}

/** Take the lease from its holder, where `can_take` says so; both are notified. */
export interface LeaseTake {
  readonly type: "lease.take";
}

/** Ask the driver for the lease; where `can_take` says so, it is taken instead. `lease.answered` has the answer. */
export interface LeaseAsk {
  readonly type: "lease.ask";
}

/** The driver's answer to a question; `asker` is one of `lease.offers`. */
export interface LeaseAnswer {
  readonly type: "lease.answer";
  readonly asker: string;
  readonly granted: boolean;
}

/** Give the lease to somebody who has not asked; `to` is one of `lease.offers`. */
export interface LeaseGive {
  readonly type: "lease.give";
  readonly to: string;
}

/** Return the lease, so that others can drive. */
export interface LeaseReturn {
  readonly type: "lease.return";
}

/** Ask the room to be let in; `access` has the answer. Knocking again while the room is asked changes nothing. */
export interface Knock {
  readonly type: "knock";
}

/** Close or open the curtain, for the room. It is closed at once, and opened when that is saved. */
export interface RoomCurtain {
  readonly type: "room.curtain";
  readonly closed: boolean;
}

/**
 * Let a person in, for the room, or send the person away; `person` is the id from `room`.
 *
 * Attributes:
 *     answer: `yes` for this visit (also in quiet hours), `always`, or `no`, which ends the visit of a person who is
 *         in.
 */
export interface RoomAnswer {
  readonly type: "room.answer";
  readonly person: string;
  readonly answer: "always" | "no" | "yes";
}

/** Switch the room's microphone off or on, for the room. It is off at once, and on when that is saved. */
export interface RoomMicrophone {
  readonly type: "room.microphone";
  readonly off: boolean;
}

/**
 * Ask that the room hears you, and repeat it every second for as long as it shall: it ends 3 s after the last.
 *
 * `voice` says when the room hears you; until then, and after it, send nothing: it would be dropped. Before the first
 * words of a visit a chime is heard in the room.
 *
 * Attributes:
 *     mode: `hold` for as long as something is held, or `open`, where `voice` offers it.
 */
export interface Talk {
  readonly type: "talk";
  readonly mode: "hold" | "open";
}

/** The room is to hear you no more. */
export interface TalkOver {
  readonly type: "talk.end";
}

/** Every message that the server can send. */
export type ServerMessage =
  | Welcome
  | Pong
  | Ack
  | State
  | Lease
  | LeaseOffers
  | LeaseAnswered
  | Notice
  | ErrorMessage
  | Access
  | Room
  | Voice
  | TalkEnded;

/**
 * The reply to `hello`: the socket's name and the server's limits.
 *
 * Attributes:
 *     session: this socket's name in the logs; not a secret.
 *     resend_ms: how often a held setpoint must be sent again.
 *     dead_man_ms: the age of the newest setpoint at which the head stops.
 *     max_age_ms: a `drive` whose `heard` is older than this is refused; from half of it on, the top speed falls.
 *     server: the server's clock.
 *     clock: the client's clock from `hello`.
 *     head: the head's name, for people.
 */
export interface Welcome {
  readonly type: "welcome";
  readonly session: string;
  readonly resend_ms: number;
  readonly dead_man_ms: number;
  readonly max_age_ms: number;
  readonly server: number;
  readonly clock: number;
  readonly head: string;
}

/** The reply to `ping`: the client's clock back, and the server's. */
export interface Pong {
  readonly type: "pong";
  readonly clock: number;
  readonly server: number;
}

/**
 * The newest setpoint of yours that was written to the radio on this axis.
 *
 * `written - (clock mapped to the server's clock)` is the age of the command when it was written.
 */
export interface Ack {
  readonly type: "ack";
  readonly axis: "pan" | "tilt";
  readonly seq: number;
  readonly clock: number;
  readonly written: number;
}

/** The state of the head and of the stage; sent on change, only the newest. */
export interface State {
  readonly type: "state";
  readonly pan: AxisState;
  readonly tilt: AxisState;
  readonly stage: StageState;
}

/**
 * The state of one axis.
 *
 * Attributes:
 *     link: the supervisor's state; the axis can move only in `ready`.
 *     reason: why the link is not ready (a LinkReason), or "".
 *     velocity: what was last written to the unit, share of full speed.
 *     position_deg: dead-reckoned, or null where the profile has no calibration.
 *     limit: the soft limit that the axis stands at: -1, 0 (none) or 1.
 *     interval_ms: the link's learned write interval, or null before it is known.
 */
export interface AxisState {
  readonly link: "closed" | "connecting" | "disabled" | "ready" | "searching" | "settling" | "waiting";
  readonly reason: string;
  readonly velocity: number;
  readonly position_deg: number | null;
  readonly limit: number;
  readonly interval_ms: number | null;
}

/**
 * The state of the picture.
 *
 * Attributes:
 *     available: false once the camera has failed, until a picture has come again. Viewers keep their connections
 *         meanwhile, for half a minute; a new offer has it tried again.
 *     viewers: how many viewers there are.
 *     reason: why it is not available, or "". Pages should take a reason that they do not know as `failed`.
 */
export interface StageState {
  readonly available: boolean;
  readonly viewers: number;
  readonly reason: "" | "busy" | "ended" | "failed" | "no_permission" | "no_signal" | "not_found" | "program_failed" | "refused" | "unplugged" | "unreachable" | "wrong_format";
}

/**
 * Who drives.
 *
 * Attributes:
 *     epoch: what every `drive` must carry while `holder` is you.
 *     holder: `house` while the head is being parked.
 *     driver: the name of whoever drives, for people; "" while it is nobody or the house.
 *     can_take: whether `lease.take` would be granted.
 *     can_ask: whether there is somebody to be asked by `lease.ask`.
 *     free_at: when the lease will be free by the server's clock, unless its driver returns, whose connection is lost;
 *         null while it is not.
 *     asked_until: until when your question waits for an answer, by the server's clock; null without one.
 */
export interface Lease {
  readonly type: "lease";
  readonly epoch: number;
  readonly holder: "house" | "nobody" | "other" | "you";
  readonly driver: string;
  readonly can_take: boolean;
  readonly can_ask: boolean;
  readonly free_at: number | null;
  readonly asked_until: number | null;
}

/** While you drive: who asks for the lease, oldest first, and who could have it without asking; sent on change. */
export interface LeaseOffers {
  readonly type: "lease.offers";
  readonly asking: readonly Asker[];
  readonly watching: readonly Watcher[];
}

/** Somebody who asks you for the lease, until `until` by the server's clock. */
export interface Asker {
  readonly asker: string;
  readonly name: string;
  readonly until: number;
}

/** Somebody to whom you may give the lease. */
export interface Watcher {
  readonly to: string;
  readonly name: string;
}

/** How your question ended; `over` says that somebody else drives now, or nobody. */
export interface LeaseAnswered {
  readonly type: "lease.answered";
  readonly answer: "denied" | "granted" | "over" | "unanswered";
}

/** An event that the visitor should know of; a hold that it ended moves again only after a new press. */
export interface Notice {
  readonly type: "notice";
  readonly code: "clock_jumped" | "closing" | "hold_expired" | "hold_too_long" | "lease_lost" | "link_lost" | "stopped";
  readonly axis: "both" | "pan" | "tilt";
  readonly hold: number;
}

/**
 * A message of yours was refused; `code` is a Refusal, `closing` says that the server closes the socket now.
 *
 * `hold` is that of the refused `drive` or `release`, and absent for other messages. `delay` comes with
 * `too_slow`: the age in milliseconds that the `drive` may have had.
 */
export interface ErrorMessage {
  readonly type: "error";
  readonly code: string;
  readonly message: string;
  readonly closing: boolean;
  readonly hold?: number;
  readonly delay?: number;
}

/**
 * Whether the room lets you look, hear, talk and drive; sent after `welcome`, and on change.
 *
 * Attributes:
 *     state: `open`, or why not: the `curtain` is closed; you must `knock`; you have knocked and are `waiting`; you
 *         were `refused`, or nobody answered; the room has `quiet` hours.
 *     until: how long `waiting`, `refused` or `quiet` last, in milliseconds since 1970, UTC; else null.
 *     rights: what this session may do now.
 */
export interface Access {
  readonly type: "access";
  readonly state: "curtain" | "knock" | "open" | "quiet" | "refused" | "waiting";
  readonly until: number | null;
  readonly rights: readonly ("drive" | "look" | "manage" | "publish" | "room" | "talk")[];
}

/**
 * What the room knows: sent to who may speak for it, after `welcome` and on change.
 *
 * Attributes:
 *     here: who looks, hears, drives or talks, in the order in which they came.
 *     knocks: who knocks, likewise.
 *     microphone: the room's own; `off` is its switch, whatever the curtain does.
 *     quiet_until: when the quiet hours of now end, in milliseconds since 1970, UTC; null outside of them.
 *     faults: what does not work: `store` (the newest change may be lost by a restart), `media` (pictures or sound
 *         could not be cut everywhere), `park` (the head could not be parked), `chime`, `light`, `microphone`,
 *         `speaker`.
 */
export interface Room {
  readonly type: "room";
  readonly curtain: CurtainView;
  readonly here: readonly PersonHere[];
  readonly knocks: readonly PersonKnocking[];
  readonly microphone: MicrophoneView;
  readonly quiet_until: number | null;
  readonly faults: readonly ("chime" | "light" | "media" | "microphone" | "park" | "speaker" | "store")[];
}

/**
 * The curtain.
 *
 * Attributes:
 *     closed: whether it is closed; a curtain that is being opened is closed until that is saved.
 *     by: the name of who closed or opened it last, or "".
 *     since: when that was, in milliseconds since 1970, UTC; null if it was never closed.
 *     saved: whether a restart would know it.
 */
export interface CurtainView {
  readonly closed: boolean;
  readonly by: string;
  readonly since: number | null;
  readonly saved: boolean;
}

/**
 * A person who looks, hears, drives or talks now.
 *
 * Attributes:
 *     since: when that began, in milliseconds since 1970, UTC.
 *     talks: whether the person's microphone is open to the room.
 *     heard: whether the room hears the person's voice at this moment.
 */
export interface PersonHere {
  readonly person: string;
  readonly name: string;
  readonly since: number;
  readonly looks: boolean;
  readonly hears: boolean;
  readonly drives: boolean;
  readonly talks: boolean;
  readonly heard: boolean;
}

/**
 * A person who knocks.
 *
 * Attributes:
 *     since: when the person knocked, in milliseconds since 1970, UTC.
 *     until: when no answer becomes a no, likewise.
 */
export interface PersonKnocking {
  readonly person: string;
  readonly name: string;
  readonly since: number;
  readonly until: number;
}

/**
 * The room's microphone.
 *
 * Attributes:
 *     exists: whether there is any sound between the room and its visitors.
 *     off: whether the room has switched it off; one that is being switched on is off until that is saved.
 *     open: whether it hears the room now.
 *     saved: whether a restart would know the switch.
 */
export interface MicrophoneView {
  readonly exists: boolean;
  readonly off: boolean;
  readonly open: boolean;
  readonly saved: boolean;
}

/**
 * The sound between you and the room; sent after `welcome`, and on change, where the house has any.
 *
 * Attributes:
 *     microphone: whether the room can be heard: `off` (the room has switched it off), `missing` (it does not work),
 *         `closed` (nobody hears it now), `open`.
 *     hears: whether you may hear it.
 *     speaker: whether the room can hear its visitors: `missing` (it does not work) or `ready`.
 *     open: whether you may talk with an open microphone, too.
 *     heard: whether the room hears you now.
 *     talking: the names of the others whom it hears now.
 */
export interface Voice {
  readonly type: "voice";
  readonly microphone: "closed" | "missing" | "off" | "open";
  readonly hears: boolean;
  readonly speaker: "missing" | "ready";
  readonly open: boolean;
  readonly heard: boolean;
  readonly talking: readonly string[];
}

/** The room does not hear you: your `talk` was refused, or the server ended it; `reason` is a Refusal. */
export interface TalkEnded {
  readonly type: "talk.ended";
  readonly reason: string;
}

/** Close codes of the server, besides those of RFC 6455. */
export const CLOSE_CODES = {
  bad_messages: 4400,
  no_session: 4401,
  silent: 4408,
  new_role: 4409,
  too_much: 4429,
  not_permitted: 4403,
  withheld: 4423,
  too_many_viewers: 4503,
  no_picture: 4504,
} as const;
