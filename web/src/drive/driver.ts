// The visitor's hand, the lease and the server's word brought together: who may move the head, and when a hold ends.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Cancel } from "../time/timers";
import type { ErrorMessage, Lease, Notice, Welcome } from "../wire/messages";
import { acquireLease, returnLease, stop, takeLease } from "../wire/outgoing";
import { type CutReason, cut, cutAxis, type Hold, letGo, move, NO_HOLD, press, type Source } from "./hold";
import { Sender, type SenderPorts } from "./setpoint-sender";
import type { Velocity } from "./velocity";

/** A driver who rests this long lets others drive without having to take over. */
const IDLE_MS = 60_000;
/** A stop that did not get through is said again this long; later it would stop what the visitor has never seen. */
const STOP_COUNTS_MS = 5000;
/** A stop that nothing has answered for this long is told to be lost: the socket may be dead without knowing it. */
const STOP_ANSWER_MS = 2500;

export interface DriverPorts extends SenderPorts {
  /** Why a press would not move the head now, or null where it would. */
  whyNot(): CutReason | null;
  /** Opens the next socket now, unless one is being opened: the one that is there carries nothing, or there is none. */
  reconnect(): void;
}

/** What became of the newest stop: on its way, or known to have missed the home. Null once it has arrived. */
export interface OpenStop {
  readonly pressedAtMs: number;
  readonly isLost: boolean;
}

export class Driver {
  readonly #ports: DriverPorts;
  readonly #sender: Sender;
  readonly #hold = signal<Hold>(NO_HOLD);
  readonly #lease = signal<Lease | null>(null);
  readonly #openStop = signal<OpenStop | null>(null);
  #cancelIdle: Cancel = () => {};
  #cancelStop: Cancel = () => {};

  constructor(ports: DriverPorts) {
    this.#ports = ports;
    this.#sender = new Sender(ports);
  }

  get hold(): ReadonlySignal<Hold> {
    return this.#hold;
  }

  /** Who drives, or null while the server has not said. */
  get lease(): ReadonlySignal<Lease | null> {
    return this.#lease;
  }

  /** The newest stop for as long as it is not known to have arrived. */
  get openStop(): ReadonlySignal<OpenStop | null> {
    return this.#openStop;
  }

  /** A hand comes down; the lease is asked for where nobody has it. */
  press(source: Source, velocity: Velocity, readAtMs: number): void {
    const pressed = press(this.#hold.value, source, velocity, readAtMs);
    if (pressed === this.#hold.value) {
      return;
    }
    this.forgetStop(); // whoever presses now wants it to turn
    const denial = this.#ports.whyNot();
    if (denial !== null) {
      this.#become(cut(pressed, denial));
      return;
    }
    if (this.#lease.value?.holder !== "you") {
      this.#ports.send(acquireLease());
    }
    this.#become(pressed);
  }

  move(source: Source, velocity: Velocity, readAtMs: number): void {
    this.#become(move(this.#hold.value, source, velocity, readAtMs));
  }

  letGo(source: Source): void {
    this.#become(letGo(this.#hold.value, source));
  }

  /** Ends the hold although the hand may still be there; `delayMs` is how far away home is, where that is why. */
  cut(reason: CutReason, delayMs?: number): void {
    this.#become(cut(this.#hold.value, reason, delayMs));
  }

  /** Stops the head, whoever drives; where the home cannot be reached, as soon as it can, unless that takes long. */
  stop(): void {
    this.#sayStop(this.#ports.timers.now());
    this.cut("stopped");
  }

  /** The visitor wants it no more. */
  forgetStop(): void {
    this.#cancelStop();
    this.#openStop.value = null;
  }

  /** Drives instead of whoever drives now. */
  takeOver(): void {
    this.#ports.send(takeLease());
  }

  /** Lets others drive. */
  giveBack(): void {
    this.#cancelIdle();
    if (this.#lease.value?.holder === "you") {
      this.#ports.send(returnLease());
    }
  }

  /** The socket is there again; a stop that may have been lost with the last one goes first. */
  receiveOnline(): void {
    const open = this.#openStop.value;
    if (open !== null && this.#ports.timers.now() - open.pressedAtMs <= STOP_COUNTS_MS) {
      this.#sayStop(open.pressedAtMs);
    } else {
      this.forgetStop();
    }
    if (this.#hold.value.kind === "live") {
      this.#ports.send(acquireLease()); // pressed while the socket was being opened
    }
  }

  /** The server has told its time; what waits for that may be told now. */
  receiveHeard(): void {
    this.#sender.receiveHeard();
  }

  /** The server has answered what was sent at `clientMs` (page's clock): whatever was sent before it has arrived. */
  receivePong(clientMs: number): void {
    const open = this.#openStop.value;
    if (open !== null && open.pressedAtMs <= clientMs) {
      this.forgetStop();
    }
  }

  /** The socket is gone, and the lease's word with it. */
  receiveOffline(): void {
    this.#loseStop();
    this.cut("offline");
    this.#lease.value = null;
    this.#sender.receiveEpoch(null);
    this.#cancelIdle();
  }

  /** How the server wishes to be told, and how old that may be. */
  receiveRules(rules: Pick<Welcome, "resend_ms" | "max_age_ms">): void {
    this.#sender.receiveResend(rules.resend_ms);
    this.#sender.receiveMaxAge(rules.max_age_ms);
  }

  receiveLease(lease: Lease): void {
    const hadIt = this.#lease.value?.holder === "you";
    this.#lease.value = lease;
    if (lease.holder !== "you" && (hadIt || lease.holder === "other")) {
      this.cut("other_drives");
    }
    this.#sender.receiveEpoch(lease.holder === "you" ? lease.epoch : null);
    this.#watchIdle();
  }

  receiveNotice(notice: Notice): void {
    if (notice.hold < this.#hold.value.number && notice.code !== "closing") {
      return; // about a hold that is over
    }
    const reason = REASONS[notice.code];
    this.#become(
      notice.axis === "both" ? cut(this.#hold.value, reason) : cutAxis(this.#hold.value, notice.axis, reason),
    );
  }

  /** The server did not carry a message out; some refusals mean that the hold they are about, or any, is over. */
  receiveRefusal(error: ErrorMessage): void {
    const reason = REFUSALS[error.code];
    if (reason !== undefined && (error.hold ?? Number.POSITIVE_INFINITY) >= this.#hold.value.number) {
      this.cut(reason, error.delay);
    }
  }

  #sayStop(pressedAtMs: number): void {
    this.#cancelStop();
    const isSent = this.#ports.send(stop());
    this.#openStop.value = { pressedAtMs, isLost: !isSent };
    if (isSent) {
      this.#cancelStop = this.#ports.timers.after(STOP_ANSWER_MS, () => {
        this.#loseStop();
        this.#ports.reconnect();
      });
      this.#ports.ping(); // the socket keeps the order, so its answer tells that the stop has arrived
    } else {
      this.#ports.reconnect();
    }
  }

  #loseStop(): void {
    this.#cancelStop();
    const open = this.#openStop.value;
    if (open !== null && !open.isLost) {
      this.#openStop.value = { ...open, isLost: true };
    }
  }

  #become(hold: Hold): void {
    if (hold === this.#hold.value) {
      return;
    }
    this.#hold.value = hold;
    this.#sender.receiveHold(hold);
    this.#watchIdle();
  }

  #watchIdle(): void {
    this.#cancelIdle();
    if (this.#lease.value?.holder === "you" && this.#hold.value.kind !== "live") {
      this.#cancelIdle = this.#ports.timers.after(IDLE_MS, () => this.giveBack());
    }
  }
}

const REASONS: Record<Notice["code"], CutReason> = {
  hold_expired: "too_slow",
  hold_too_long: "too_long",
  link_lost: "out_of_reach",
  lease_lost: "other_drives",
  stopped: "stopped",
  clock_jumped: "too_slow",
  closing: "offline",
};

/** Refusals that end a hold; the others (an old sequence, a message too many) do not concern the hand. */
const REFUSALS: Readonly<Record<string, CutReason | undefined>> = {
  someone_else_drives: "other_drives",
  outranked: "other_drives",
  not_driving: "too_slow",
  old_epoch: "other_drives",
  hold_ended: "too_slow",
  hold_too_long: "too_long",
  too_late: "too_slow",
  too_slow: "too_far",
  not_ready: "offline",
};
