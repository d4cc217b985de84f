// Turns a hold into messages: the first at once, changes at most sixty times a second, and the newest again and again
// while the hand is there. Nothing waits in a queue: what cannot be sent now is replaced by what is true then.

import type { Heard } from "../time/server-time";
import type { Cancel, Timers } from "../time/timers";
import type { ClientMessage } from "../wire/messages";
import { drive, release } from "../wire/outgoing";
import { type Hold, type LiveHold, NO_HOLD } from "./hold";
import { isSame, type Velocity } from "./velocity";

/** A screen shows sixty pictures a second; a hand is not read more often. */
export const LEAST_GAP_MS = 16;
/** Until the server's `welcome` says otherwise: ten of these fit in its dead-man time. */
const RESEND_MS = 50;
/** Likewise: how old a setpoint may be, by what its sender had heard. */
const MAX_AGE_MS = 1000;
/** What was heard longer ago than this share of that would leave too little for the way: it is asked for anew. */
const FRESH_SHARE = 0.4;
/** How often it is asked for while a press waits for it; on a long way several are under way at once. */
export const ASK_MS = 250;

export interface SenderPorts {
  readonly timers: Timers;
  /** Hands one message to an open socket; false where there is none. */
  send(message: ClientMessage): boolean;
  /** Whether the socket still holds earlier messages: another would only be old when it arrives. */
  isBackedUp(): boolean;
  /** The newest time of the server's clock; null where nothing was heard. */
  heard(): Heard | null;
  /** Asks the server for a sign of life; its answer is told with `receiveHeard`. */
  ping(): void;
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
  #resendMs = RESEND_MS;
  #maxHeardAgeMs = FRESH_SHARE * MAX_AGE_MS;
  /** When the server was asked for its time because a press waits for it; null while none does. */
  #pingedAtMs: number | null = null;
  #seq = 0;
  /** The newest `drive` of the present hold; null until it has sent one. */
  #sent: Sent | null = null;
  #lastSentAtMs = Number.NEGATIVE_INFINITY;
  #cancel: Cancel = () => {};

  constructor(ports: SenderPorts) {
    this.#ports = ports;
  }

  /** The server's wish for how often a held velocity is sent again. */
  receiveResend(resendMs: number): void {
    this.#resendMs = Math.max(LEAST_GAP_MS, resendMs);
  }

  /** How old a setpoint may be at the server, by what this page had heard of it. */
  receiveMaxAge(maxAgeMs: number): void {
    this.#maxHeardAgeMs = FRESH_SHARE * maxAgeMs;
  }

  /** The server has told its time: a press that waits for that may be told now. */
  receiveHeard(): void {
    if (this.#pingedAtMs !== null) {
      this.#pingedAtMs = null;
      this.#advance();
    }
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
    if (hold.kind !== "live") {
      this.#pingedAtMs = null;
      return;
    }
    const heard = this.#ports.heard();
    // Nothing has moved yet, so that a press may wait for news; a hold that goes on is judged by the server.
    if (heard === null || (this.#sent === null && heard.ageMs > this.#maxHeardAgeMs)) {
      this.#ask();
      return;
    }
    if (this.#epoch === null) {
      return;
    }
    if (this.#sent !== null && this.#sent.epoch !== this.#epoch) {
      return; // a hold belongs to the lease it began under
    }
    const nowMs = this.#ports.timers.now();
    const isChanged = this.#sent === null || !isSame(this.#sent.velocity, hold.velocity);
    const waitMs = this.#lastSentAtMs + (isChanged ? LEAST_GAP_MS : this.#resendMs) - nowMs;
    if (waitMs > 0) {
      this.#cancel = this.#ports.timers.after(waitMs, () => this.#advance());
      return;
    }
    if (this.#ports.isBackedUp() || !this.#drive(hold, this.#epoch, heard, isChanged)) {
      this.#cancel = this.#ports.timers.after(LEAST_GAP_MS, () => this.#advance());
      return;
    }
    this.#cancel = this.#ports.timers.after(this.#resendMs, () => this.#advance());
  }

  #ask(): void {
    const nowMs = this.#ports.timers.now();
    if (this.#pingedAtMs === null || nowMs - this.#pingedAtMs >= ASK_MS) {
      this.#pingedAtMs = nowMs;
      this.#ports.ping();
    }
    const waitMs = this.#pingedAtMs + ASK_MS - nowMs;
    this.#cancel = this.#ports.timers.after(waitMs, () => this.#advance());
  }

  #drive(hold: LiveHold, epoch: number, heard: Heard, isChanged: boolean): boolean {
    const nowMs = this.#ports.timers.now();
    // A hand that has not moved is read again now: it is still there. So is one that waited, for the lease or the socket.
    const isFresh = isChanged && nowMs - hold.readAtMs <= 2 * LEAST_GAP_MS;
    const clock = isFresh ? hold.readAtMs : nowMs;
    const { pan, tilt } = hold.velocity;
    const said = { epoch, hold: hold.number, seq: ++this.#seq, pan, tilt, clock, heard: heard.serverMs };
    if (!this.#ports.send(drive(said))) {
      return false;
    }
    this.#lastSentAtMs = nowMs;
    this.#sent = { hold: hold.number, epoch, velocity: hold.velocity };
    return true;
  }
}
