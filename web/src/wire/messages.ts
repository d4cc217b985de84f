// The wire messages of `belvedere.v1`, generated from contract/*.schema.json by `npm run types`: do not edit.

/** Anything a client may say. */
export type ClientMessage = Hello | Ping | Drive | Release | Stop | LeaseAcquire | LeaseTake | LeaseReturn;

export interface Hello {
  readonly type: "hello";
  readonly clock: number;
}

export interface Ping {
  readonly type: "ping";
  readonly clock: number;
}

export interface Drive {
  readonly type: "drive";
  readonly epoch: number;
  readonly hold: number;
  readonly seq: number;
  readonly pan: number;
  readonly tilt: number;
  readonly clock: number;
}

export interface Release {
  readonly type: "release";
  readonly epoch: number;
  readonly hold: number;
  readonly seq: number;
  readonly clock: number;
}

export interface Stop {
  readonly type: "stop";
}

export interface LeaseAcquire {
  readonly type: "lease.acquire";
}

export interface LeaseTake {
  readonly type: "lease.take";
}

export interface LeaseReturn {
  readonly type: "lease.return";
}

/** Anything the server may say. */
export type ServerMessage = Welcome | Pong | Ack | State | Lease | Notice | ErrorMessage;

export interface AxisState {
  readonly link: "searching" | "connecting" | "settling" | "ready" | "waiting" | "disabled" | "closed";
  readonly reason: string;
  readonly velocity: number;
  readonly position_deg: number | null;
  readonly limit: number;
  readonly interval_ms: number | null;
}

export interface StageState {
  readonly available: boolean;
  readonly viewers: number;
}

export interface Welcome {
  readonly type: "welcome";
  readonly session: string;
  readonly resend_ms: number;
  readonly dead_man_ms: number;
  readonly server: number;
  readonly clock: number;
  readonly head: string;
}

export interface Pong {
  readonly type: "pong";
  readonly clock: number;
  readonly server: number;
}

export interface Ack {
  readonly type: "ack";
  readonly axis: "pan" | "tilt";
  readonly seq: number;
  readonly clock: number;
  readonly written: number;
}

export interface State {
  readonly type: "state";
  readonly pan: AxisState;
  readonly tilt: AxisState;
  readonly stage: StageState;
}

export interface Lease {
  readonly type: "lease";
  readonly epoch: number;
  readonly holder: "you" | "other" | "nobody";
  readonly can_take: boolean;
}

export interface Notice {
  readonly type: "notice";
  readonly code:
    | "hold_expired"
    | "hold_too_long"
    | "link_lost"
    | "lease_lost"
    | "stopped"
    | "clock_jumped"
    | "closing";
  readonly axis: "pan" | "tilt" | "both";
  readonly hold: number;
}

export interface ErrorMessage {
  readonly type: "error";
  readonly code: string;
  readonly message: string;
  readonly closing: boolean;
}
