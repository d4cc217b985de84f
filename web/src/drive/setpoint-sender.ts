// Turns a hold into `drive` and `release` messages: the first at once, changes at most sixty times a second, and the
// newest again and again while the hold lasts. There is no queue: a setpoint that cannot be sent now is dropped, and
// the next one carries whatever is true by then.
import type { ServerTimestamp } from "../time/server-time";
import type { Cancel, Timers } from "../time/timers";
import type { ClientMessage } from "../wire/messages";
import { drive, release } from "../wire/outgoing";
import { type Hold, type LiveHold, NO_HOLD } from "./hold";
import { isEqual, type Velocity } from "./velocity";

/** Sixty a second: input events arrive once per animation frame, and more would not be seen. */
export const MIN_SEND_INTERVAL_MS = 16;
/** Until the server's `welcome` says otherwise; a tenth of its default dead-man time. */
const DEFAULT_RESEND_MS = 50;
/** Likewise: how old the server time in a `drive` may be when it arrives. */
const DEFAULT_MAX_AGE_MS = 1000;
/**
 * A press may use a server time up to this fraction of that age; an older one would leave too little for the way to the
 * server, so a ping asks for a new one first.
 */
const MAX_AGE_FRACTION = 0.4;
/** How often that ping is repeated; over a slow connection several are in flight at once. */
export const PING_RETRY_MS = 250;

export interface SetpointSenderPorts {
  readonly timers: Timers;
  /** Sends a message on the open socket; false if there is none. */
  send(message: ClientMessage): boolean;
  /** Whether the socket still buffers earlier messages: one more would be stale when it arrives. */
  isBackedUp(): boolean;
  /** The newest server time received on this socket, or null before any. */
  newestServerTime(): ServerTimestamp | null;
  /** Sends a ping now; its answer brings a server time, reported by `receiveServerTime`. */
  ping(): void;
}

interface SentDrive {
  readonly hold: number;
  readonly epoch: number;
  readonly velocity: Velocity;
}

export class SetpointSender {
  readonly #ports: SetpointSenderPorts;
  #hold: Hold = NO_HOLD;
  #epoch: number | null = null;
  #resendMs = DEFAULT_RESEND_MS;
  #maxServerTimeAgeMs = MAX_AGE_FRACTION * DEFAULT_MAX_AGE_MS;
  /** When a ping was last sent because a press waits for a server time; null while none waits. */
  #pingedAtMs: number | null = null;
  #preparedAtMs = Number.NEGATIVE_INFINITY;
  #seq = 0;
  /** The newest `drive` of the present hold; null before the first. */
  #sent: SentDrive | null = null;
  #lastSentAtMs = Number.NEGATIVE_INFINITY;
  #cancel: Cancel = () => {};

  constructor(ports: SetpointSenderPorts) {
    this.#ports = ports;
  }

  /** How often the server wants an unchanged setpoint again. */
  receiveResendInterval(resendMs: number): void {
    this.#resendMs = Math.max(MIN_SEND_INTERVAL_MS, resendMs);
  }

  /** How old the server time in a `drive` may be when it arrives, by the server's rule. */
  receiveMaxAge(maxAgeMs: number): void {
    this.#maxServerTimeAgeMs = MAX_AGE_FRACTION * maxAgeMs;
  }

  /** A hold may begin within a moment: asks for a server time now if the hold would have to wait for one. */
  prepare(): void {
    const serverTime = this.#ports.newestServerTime();
    const nowMs = this.#ports.timers.now();
    const isAsking = nowMs - this.#preparedAtMs < PING_RETRY_MS; // whoever taps quickly must not flood the server
    if (!isAsking && (serverTime === null || serverTime.ageMs > this.#maxServerTimeAgeMs)) {
      this.#preparedAtMs = nowMs;
      this.#ports.ping();
    }
  }

  /** A server time arrived: a press that waits for one can be sent now. */
  receiveServerTime(): void {
    if (this.#pingedAtMs !== null) {
      this.#pingedAtMs = null;
      this.#update();
    }
  }

  /** The epoch of the lease while this page has it, else null. */
  receiveEpoch(epoch: number | null): void {
    this.#epoch = epoch;
    this.#update();
  }

  /** The hold changed. */
  receiveHold(hold: Hold): void {
    const hasEnded = this.#sent !== null && (hold.kind !== "live" || hold.number !== this.#sent.hold);
    if (hasEnded) {
      this.#sendRelease();
    }
    this.#hold = hold;
    this.#update();
  }

  #sendRelease(): void {
    const sent = this.#sent;
    this.#sent = null;
    if (sent !== null) {
      const clock = this.#ports.timers.now();
      this.#ports.send(release({ epoch: sent.epoch, hold: sent.hold, seq: ++this.#seq, clock }));
    }
  }

  #update(): void {
    this.#cancel();
    const hold = this.#hold;
    if (hold.kind !== "live") {
      this.#pingedAtMs = null;
      return;
    }
    const serverTime = this.#ports.newestServerTime();
    // The server refuses a `drive` that names an old time. Before its first `drive` a hold can wait for a newer time,
    // because nothing moves yet; once the head moves it must go on sending, and the server decides.
    if (serverTime === null || (this.#sent === null && serverTime.ageMs > this.#maxServerTimeAgeMs)) {
      this.#pingForServerTime();
      return;
    }
    if (this.#epoch === null) {
      return;
    }
    if (this.#sent !== null && this.#sent.epoch !== this.#epoch) {
      return; // a hold never carries over into another lease
    }
    const nowMs = this.#ports.timers.now();
    const isChanged = this.#sent === null || !isEqual(this.#sent.velocity, hold.velocity);
    const waitMs = this.#lastSentAtMs + (isChanged ? MIN_SEND_INTERVAL_MS : this.#resendMs) - nowMs;
    if (waitMs > 0) {
      this.#cancel = this.#ports.timers.after(waitMs, () => this.#update());
      return;
    }
    if (this.#ports.isBackedUp() || !this.#sendDrive(hold, this.#epoch, serverTime, isChanged)) {
      this.#cancel = this.#ports.timers.after(MIN_SEND_INTERVAL_MS, () => this.#update());
      return;
    }
    this.#cancel = this.#ports.timers.after(this.#resendMs, () => this.#update());
  }

  #pingForServerTime(): void {
    const nowMs = this.#ports.timers.now();
    if (this.#pingedAtMs === null || nowMs - this.#pingedAtMs >= PING_RETRY_MS) {
      this.#pingedAtMs = nowMs;
      this.#ports.ping();
    }
    const waitMs = this.#pingedAtMs + PING_RETRY_MS - nowMs;
    this.#cancel = this.#ports.timers.after(waitMs, () => this.#update());
  }

  #sendDrive(hold: LiveHold, epoch: number, serverTime: ServerTimestamp, isChanged: boolean): boolean {
    const nowMs = this.#ports.timers.now();
    // `clock` says when the input was read. An unchanged input is read again by sending it: it is still held. So is one
    // that had to wait for the lease or the socket, whose own reading would be too old.
    const isNewReading = isChanged && nowMs - hold.readAtMs <= 2 * MIN_SEND_INTERVAL_MS;
    const clock = isNewReading ? hold.readAtMs : nowMs;
    const { pan, tilt } = hold.velocity;
    const fields = {
      epoch,
      hold: hold.number,
      seq: ++this.#seq,
      pan,
      tilt,
      clock,
      heard: serverTime.serverMs,
    };
    if (!this.#ports.send(drive(fields))) {
      return false;
    }
    this.#lastSentAtMs = nowMs;
    this.#sent = { hold: hold.number, epoch, velocity: hold.velocity };
    return true;
  }
}
