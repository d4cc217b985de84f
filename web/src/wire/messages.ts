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
  | LeaseReturn;

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

/** Take the lease from its holder; both are notified. */
export interface LeaseTake {
  readonly type: "lease.take";
}

/** Return the lease, so that others can drive. */
export interface LeaseReturn {
  readonly type: "lease.return";
}

/** Every message that the server can send. */
export type ServerMessage =
  | Welcome
  | Pong
  | Ack
  | State
  | Lease
  | Notice
  | ErrorMessage;

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
  readonly reason: "" | "busy" | "ended" | "failed" | "no_permission" | "no_signal" | "not_found" | "program_failed" | "refused" | "too_slow" | "unplugged" | "unreachable" | "wrong_format";
}

/**
 * Who drives: `you`, `other` or `nobody`; while it is you, every `drive` must carry `epoch`.
 *
 * `can_take` says that `lease.take` would be granted.
 */
export interface Lease {
  readonly type: "lease";
  readonly epoch: number;
  readonly holder: "nobody" | "other" | "you";
  readonly can_take: boolean;
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

/** Close codes of the server, besides those of RFC 6455. */
export const CLOSE_CODES = {
  bad_messages: 4400,
  no_session: 4401,
  silent: 4408,
  new_role: 4409,
  too_much: 4429,
  not_permitted: 4403,
  too_many_viewers: 4503,
  no_picture: 4504,
} as const;
