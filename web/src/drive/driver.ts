// Decides when this page may move the head, from the inputs, the lease and what the server says, and when a hold ends.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Cancel } from "../time/timers";
import type { ErrorMessage, Lease, Notice, Welcome } from "../wire/messages";
import { acquireLease, returnLease, stop, takeLease } from "../wire/outgoing";
import {
  type CutReason,
  cut,
  cutAxis,
  type Hold,
  type InputSource,
  move,
  NO_HOLD,
  press,
  release,
} from "./hold";
import { SetpointSender, type SetpointSenderPorts } from "./setpoint-sender";
import type { Velocity } from "./velocity";

/** A driver who does nothing for this long returns the lease, so that others need not take over. */
const LEASE_IDLE_MS = 60_000;
/**
 * A stop that was not delivered is sent again for this long. Later it might stop a movement that the visitor never
 * saw, and that somebody else meant.
 */
const STOP_RESEND_WINDOW_MS = 5000;
/** A stop that is not confirmed within this time counts as lost: the socket may be dead without the browser knowing. */
const STOP_CONFIRM_TIMEOUT_MS = 2500;

export interface DriverPorts extends SetpointSenderPorts {
  /** Why a press cannot move the head now, or null if it can. */
  blockedReason(): CutReason | null;
  /** Replaces the control socket now, unless one is already connecting: the present one is dead, or there is none. */
  reconnect(): void;
}

/** A stop that the server has not confirmed yet. */
export interface PendingStop {
  readonly pressedAtMs: number;
  /** Not delivered, as far as is known; it is sent again on the next connection. */
  readonly isLost: boolean;
}

export class Driver {
  readonly #ports: DriverPorts;
  readonly #sender: SetpointSender;
  readonly #hold = signal<Hold>(NO_HOLD);
  readonly #lease = signal<Lease | null>(null);
  readonly #pendingStop = signal<PendingStop | null>(null);
  #cancelIdle: Cancel = () => {};
  #cancelStopTimer: Cancel = () => {};

  constructor(ports: DriverPorts) {
    this.#ports = ports;
    this.#sender = new SetpointSender(ports);
  }

  get hold(): ReadonlySignal<Hold> {
    return this.#hold;
  }

  /** Who drives, or null before the server has said. */
  get lease(): ReadonlySignal<Lease | null> {
    return this.#lease;
  }

  /** The newest stop until the server has confirmed it, else null. */
  get pendingStop(): ReadonlySignal<PendingStop | null> {
    return this.#pendingStop;
  }

  /** A press may follow: asks for a server time if it would have to wait for one. The lease is left alone. */
  prepare(): void {
    this.#sender.prepare();
  }

  /** An input was pressed; asks for the lease if this page does not have it. */
  press(source: InputSource, velocity: Velocity, readAtMs: number): void {
    const pressed = press(this.#hold.value, source, velocity, readAtMs);
    if (pressed === this.#hold.value) {
      return;
    }
    this.discardPendingStop(); // whoever presses after a stop wants the head to move
    const blockedBy = this.#ports.blockedReason();
    if (blockedBy !== null) {
      this.#setHold(cut(pressed, blockedBy));
      return;
    }
    if (this.#lease.value?.holder !== "you") {
      this.#ports.send(acquireLease());
    }
    this.#setHold(pressed);
  }

  move(source: InputSource, velocity: Velocity, readAtMs: number): void {
    this.#setHold(move(this.#hold.value, source, velocity, readAtMs));
  }

  release(source: InputSource): void {
    this.#setHold(release(this.#hold.value, source));
  }

  /** Ends the hold although the input may still be pressed; `delayMs` is the connection's delay, with `too_slow`. */
  cut(reason: CutReason, delayMs?: number): void {
    this.#setHold(cut(this.#hold.value, reason, delayMs));
  }

  /** Stops the head, whoever drives; without a connection, on the next one, if that comes soon enough. */
  stop(): void {
    this.#sendStop(this.#ports.timers.now());
    this.cut("stopped");
  }

  /** No longer sends the pending stop again. */
  discardPendingStop(): void {
    this.#cancelStopTimer();
    this.#pendingStop.value = null;
  }

  /** Takes the lease from whoever drives now. */
  takeLease(): void {
    this.#ports.send(takeLease());
  }

  /** Returns the lease, so that others can drive. */
  returnLease(): void {
    this.#cancelIdle();
    if (this.#lease.value?.holder === "you") {
      this.#ports.send(returnLease());
    }
  }

  /** The socket is open. A stop that may have been lost with the previous socket is sent before anything else. */
  receiveConnected(): void {
    const pending = this.#pendingStop.value;
    if (pending !== null && this.#ports.timers.now() - pending.pressedAtMs <= STOP_RESEND_WINDOW_MS) {
      this.#sendStop(pending.pressedAtMs);
    } else {
      this.discardPendingStop();
    }
    if (this.#hold.value.kind === "live") {
      this.#ports.send(acquireLease()); // pressed while the socket was connecting
    }
  }

  /** The server sent its time: a press that waits for it can be sent now. */
  receiveServerTime(): void {
    this.#sender.receiveServerTime();
  }

  /** The server answered the ping sent at `clientMs`. Sockets keep the order, so everything sent before has arrived. */
  receivePong(clientMs: number): void {
    const pending = this.#pendingStop.value;
    if (pending !== null && pending.pressedAtMs <= clientMs) {
      this.discardPendingStop();
    }
  }

  /** The socket is closed, so what the server last said about the lease is no longer true. */
  receiveDisconnected(): void {
    this.#markStopLost();
    this.cut("offline");
    this.#lease.value = null;
    this.#sender.receiveEpoch(null);
    this.#cancelIdle();
  }

  /** How often the server wants setpoints, and how old they may be. */
  receiveTiming(welcome: Pick<Welcome, "resend_ms" | "max_age_ms">): void {
    this.#sender.receiveResendInterval(welcome.resend_ms);
    this.#sender.receiveMaxAge(welcome.max_age_ms);
  }

  receiveLease(lease: Lease): void {
    const wasDriving = this.#lease.value?.holder === "you";
    this.#lease.value = lease;
    if (lease.holder !== "you" && (wasDriving || lease.holder !== "nobody")) {
      this.cut("other_drives");
    }
    this.#sender.receiveEpoch(lease.holder === "you" ? lease.epoch : null);
    this.#restartIdleTimer();
  }

  receiveNotice(notice: Notice): void {
    if (notice.hold < this.#hold.value.number && notice.code !== "closing") {
      return; // about a hold that has ended already
    }
    const reason = CUT_BY_NOTICE[notice.code];
    this.#setHold(
      notice.axis === "both" ? cut(this.#hold.value, reason) : cutAxis(this.#hold.value, notice.axis, reason),
    );
  }

  /** The server refused a message. Some refusals end the hold they name, or the present one if they name none. */
  receiveError(error: ErrorMessage): void {
    const reason = CUT_BY_ERROR[error.code];
    if (reason !== undefined && (error.hold ?? Number.POSITIVE_INFINITY) >= this.#hold.value.number) {
      this.cut(reason, error.delay);
    }
  }

  #sendStop(pressedAtMs: number): void {
    this.#cancelStopTimer();
    const isSent = this.#ports.send(stop());
    this.#pendingStop.value = { pressedAtMs, isLost: !isSent };
    if (isSent) {
      this.#cancelStopTimer = this.#ports.timers.after(STOP_CONFIRM_TIMEOUT_MS, () => {
        this.#markStopLost();
        this.#ports.reconnect();
      });
      this.#ports.ping(); // its pong confirms the stop, see `receivePong`
    } else {
      this.#ports.reconnect();
    }
  }

  #markStopLost(): void {
    this.#cancelStopTimer();
    const pending = this.#pendingStop.value;
    if (pending !== null && !pending.isLost) {
      this.#pendingStop.value = { ...pending, isLost: true };
    }
  }

  #setHold(hold: Hold): void {
    if (hold === this.#hold.value) {
      return;
    }
    this.#hold.value = hold;
    this.#sender.receiveHold(hold);
    this.#restartIdleTimer();
  }

  #restartIdleTimer(): void {
    this.#cancelIdle();
    if (this.#lease.value?.holder === "you" && this.#hold.value.kind !== "live") {
      this.#cancelIdle = this.#ports.timers.after(LEASE_IDLE_MS, () => this.returnLease());
    }
  }
}

const CUT_BY_NOTICE: Record<Notice["code"], CutReason> = {
  hold_expired: "too_late",
  hold_too_long: "too_long",
  link_lost: "out_of_reach",
  lease_lost: "other_drives",
  stopped: "stopped",
  clock_jumped: "too_late",
  closing: "offline",
};

/** Refusals that end a hold; others (an old sequence number, too many messages) concern a single message only. */
const CUT_BY_ERROR: Readonly<Record<string, CutReason | undefined>> = {
  someone_else_drives: "other_drives",
  outranked: "other_drives",
  not_driving: "too_late",
  old_epoch: "other_drives",
  hold_ended: "too_late",
  hold_too_long: "too_long",
  too_late: "too_late",
  too_slow: "too_slow",
  not_ready: "offline",
};
