// Turns a hold into messages: the first at once, changes at most sixty times a second, and the newest again and again
// while the hand is there. Nothing waits in a queue: what cannot be sent now is replaced by what is true then.
import type { Cancel, Timers } from "../time/timers";
import type { ClientMessage } from "../wire/messages";
import { drive, release } from "../wire/outgoing";
import { type Hold, type LiveHold, NO_HOLD } from "./hold";
import { isSame, type Velocity } from "./velocity";

/** A screen shows sixty pictures a second; a hand is not read more often. */
export const LEAST_GAP_MS = 16;
/** Until the server's `welcome` says otherwise: ten of these fit in its dead-man time. */
const RESEND_MS = 50;

export interface SenderPorts {
  readonly timers: Timers;
  /** Hands one message to an open socket; false where there is none. */
  send(message: ClientMessage): boolean;
  /** Whether the socket still holds earlier messages: another would only be old when it arrives. */
  isBackedUp(): boolean;
}

interface Sent {
  readonly hold: number;
  readonly epoch: number;
  readonly velocity: Velocity;
}

export class Sender {
  readonly #ports: SenderPorts;
  #hold: Hold = NO_HOLD;
  #epoch: number | null = null;
  #resend_ms = RESEND_MS;
  #seq = 0;
  /** The newest `drive` of the present hold; null until it has sent one. */
  #sent: Sent | null = null;
  #last_ms = Number.NEGATIVE_INFINITY;
  #cancel: Cancel = () => {};

  constructor(ports: SenderPorts) {
    this.#ports = ports;
  }

  /** The server's wish for how often a held velocity is sent again. */
  receiveResend(resend_ms: number): void {
    this.#resend_ms = Math.max(LEAST_GAP_MS, resend_ms);
  }

  /** The lease's epoch while this page drives, null while it does not. */
  receiveEpoch(epoch: number | null): void {
    this.#epoch = epoch;
    this.#advance();
  }

  /** The hold as it is now; called on every change of it. */
  receiveHold(hold: Hold): void {
    const isOver = this.#sent !== null && (hold.kind !== "live" || hold.number !== this.#sent.hold);
    if (isOver) {
      this.#release();
    }
    this.#hold = hold;
    this.#advance();
  }

  #release(): void {
    const sent = this.#sent;
    this.#sent = null;
    if (sent !== null) {
      const clock = this.#ports.timers.now();
      this.#ports.send(release({ epoch: sent.epoch, hold: sent.hold, seq: ++this.#seq, clock }));
    }
  }

  #advance(): void {
    this.#cancel();
    const hold = this.#hold;
    if (hold.kind !== "live" || this.#epoch === null) {
      return;
    }
    if (this.#sent !== null && this.#sent.epoch !== this.#epoch) {
      return; // a hold belongs to the lease it began under
    }
    const now_ms = this.#ports.timers.now();
    const isChanged = this.#sent === null || !isSame(this.#sent.velocity, hold.velocity);
    const wait_ms = this.#last_ms + (isChanged ? LEAST_GAP_MS : this.#resend_ms) - now_ms;
    if (wait_ms > 0) {
      this.#cancel = this.#ports.timers.after(wait_ms, () => this.#advance());
      return;
    }
    if (this.#ports.isBackedUp() || !this.#drive(hold, this.#epoch, isChanged)) {
      this.#cancel = this.#ports.timers.after(LEAST_GAP_MS, () => this.#advance());
      return;
    }
    this.#cancel = this.#ports.timers.after(this.#resend_ms, () => this.#advance());
  }

  #drive(hold: LiveHold, epoch: number, isChanged: boolean): boolean {
    const now_ms = this.#ports.timers.now();
    // A hand that has not moved is read again now: it is still there. So is one that waited, for the lease or the socket.
    const isFresh = isChanged && now_ms - hold.read_ms <= 2 * LEAST_GAP_MS;
    const clock = isFresh ? hold.read_ms : now_ms;
    const { pan, tilt } = hold.velocity;
    if (!this.#ports.send(drive({ epoch, hold: hold.number, seq: ++this.#seq, pan, tilt, clock }))) {
      return false;
    }
    this.#last_ms = now_ms;
    this.#sent = { hold: hold.number, epoch, velocity: hold.velocity };
    return true;
  }
}
