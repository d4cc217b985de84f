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

/** The first message on a socket; nothing but `stop` is listened to before it. */
export interface Hello {
  readonly type: "hello";
  readonly clock: number;
}

/** Keeps the lease and measures the way to the server and back. */
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
 *     clock: the client's clock when the visitor's hand was read.
 *     heard: the newest time of the server's clock that the client has heard on this socket (`server` of `welcome` or
 *         `pong`, `written` of `ack`). The message is younger than that, whatever the client's clock says; one that
 *         may be older than `max_age_ms` is refused, so whoever drives pings a few times a second.
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

/** The visitor let go of this hold; it never moves anything again. */
export interface Release {
  readonly type: "release";
  readonly epoch: number;
  readonly hold: number;
  readonly seq: number;
  readonly clock: number;
}

/** Stop everything now; anyone in the house may say it, driving or not. */
export interface Stop {
  readonly type: "stop";
}

/** Ask to drive, if nobody does. */
export interface LeaseAcquire {
  readonly type: "lease.acquire";
}

/** Drive instead of whoever drives now; both are told. */
export interface LeaseTake {
  readonly type: "lease.take";
}

/** Stop driving and let others. */
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
 * The answer to `hello`: who you are and how this house works.
 *
 * Attributes:
 *     session: this socket's name in `lease` and in the logs; no secret.
 *     resend_ms: how often a held setpoint must be sent again.
 *     dead_man_ms: how old a setpoint may grow before the head stops.
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

/** The answer to `ping`: the client's clock back, and the server's. */
export interface Pong {
  readonly type: "pong";
  readonly clock: number;
  readonly server: number;
}

/**
 * The newest setpoint of yours that was written to the radio on this axis.
 *
 * `written - (clock mapped to the server's clock)` is the true age of the command when it left.
 */
export interface Ack {
  readonly type: "ack";
  readonly axis: "pan" | "tilt";
  readonly seq: number;
  readonly clock: number;
  readonly written: number;
}

/** What the head and the stage do now; sent on change, newest only. */
export interface State {
  readonly type: "state";
  readonly pan: AxisState;
  readonly tilt: AxisState;
  readonly stage: StageState;
}

/**
 * What one axis does now.
 *
 * Attributes:
 *     link: the supervisor's state; `ready` alone can move.
 *     reason: why the link is not ready (a LinkReason), or "".
 *     velocity: what was last written to the unit, share of full speed.
 *     position_deg: dead-reckoned, or null where the profile has no calibration.
 *     limit: the soft limit that the axis stands at: -1, 0 (none) or 1.
 *     interval_ms: the learned pace of the link, or null before it is known.
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
 * What the picture does now.
 *
 * Attributes:
 *     available: false once the picture broke off, until one has come again; asking for it is what brings it back.
 *     viewers: how many are being shown it.
 */
export interface StageState {
  readonly available: boolean;
  readonly viewers: number;
}

/**
 * Who drives: `you`, `other` or `nobody`; `epoch` belongs in every `drive` while it is you.
 *
 * `can_take` says that `lease.take` would be granted.
 */
export interface Lease {
  readonly type: "lease";
  readonly epoch: number;
  readonly holder: "nobody" | "other" | "you";
  readonly can_take: boolean;
}

/** Something happened that the visitor should know: after a cut hold, let go and press again. */
export interface Notice {
  readonly type: "notice";
  readonly code: "clock_jumped" | "closing" | "hold_expired" | "hold_too_long" | "lease_lost" | "link_lost" | "stopped";
  readonly axis: "both" | "pan" | "tilt";
  readonly hold: number;
}

/**
 * A message of yours was not carried out; `code` is a Refusal, `closing` says that the socket ends now.
 *
 * `hold` is that of the `drive` or `release` that was refused; other messages have none. `delay` comes with
 * `too_slow`: how many milliseconds old the `drive` may have been.
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
  too_much: 4429,
} as const;
