// A switch of the room that is safe in one position: the curtain closed, the microphone off.
//
// The safe position is asked for until the server says that it is reached, whatever happens to the connection meanwhile.
// The other is asked for once, and never later by itself: whoever asks must be there to see it.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Cancel, Timers } from "../time/timers";

/** How often the safe position is asked for again. */
const RETRY_MS = 1000;
/** It takes a few milliseconds; after this long without a word the resident is told to do it by hand. */
const UNKNOWN_MS = 3000;
/** The other position waits for the disk. */
const OPEN_TIMEOUT_MS = 8000;

/** What became of the resident's last wish; `close_unknown` goes on trying. Closed is the safe position. */
export type Wish = "none" | "closing" | "close_unknown" | "opening" | "open_failed";

export interface SwitchPorts {
  readonly timers: Timers;
  /** Asks by the socket; false if that could not be sent. */
  ask(isClosing: boolean): boolean;
  /** Asks for the safe position by an ordinary request, where the socket does not get through. True once it is reached. */
  requestClosing(): Promise<boolean>;
  /** Ends all waits for the next attempt to connect. */
  retryNow(): void;
  /** What the server says now; null while that is not known. */
  isClosed(): boolean | null;
}

export class SafeSwitch {
  readonly #ports: SwitchPorts;
  readonly #wish = signal<Wish>("none");
  #closingSinceMs = 0;
  #cancel: Cancel = () => {};

  constructor(ports: SwitchPorts) {
    this.#ports = ports;
  }

  get wish(): ReadonlySignal<Wish> {
    return this.#wish;
  }

  get #isClosing(): boolean {
    return this.#wish.value === "closing" || this.#wish.value === "close_unknown";
  }

  /** Asks for the safe position until the server says that it is reached. */
  close(): void {
    if (this.#isClosing || (this.#ports.isClosed() === true && this.#wish.value !== "opening")) {
      return;
    }
    this.#wish.value = "closing";
    this.#closingSinceMs = this.#ports.timers.now();
    this.#askToClose();
  }

  /** Asks for the other position, once. */
  open(): void {
    if (this.#isClosing || this.#ports.isClosed() === null) {
      return;
    }
    this.#cancel();
    if (!this.#ports.ask(false)) {
      this.#wish.value = "open_failed";
      return;
    }
    this.#wish.value = "opening";
    this.#cancel = this.#ports.timers.after(OPEN_TIMEOUT_MS, () => this.#fulfil("open_failed"));
  }

  /** Asks no more. */
  forget(): void {
    this.#cancel();
  }

  /** The server's word about the position. */
  receive(isClosed: boolean): void {
    const wish = this.#wish.value;
    if (isClosed ? this.#isClosing : wish === "opening" || wish === "open_failed") {
      this.#fulfil("none");
    }
  }

  /** The connection is lost, or the server has refused something. */
  receiveFailure(): void {
    if (this.#wish.value === "opening") {
      this.#fulfil("open_failed");
    }
  }

  #askToClose(): void {
    this.#cancel();
    const isSent = this.#ports.ask(true);
    if (!isSent) {
      this.#ports.retryNow();
    }
    const now = this.#ports.timers.now();
    if (!isSent || now - this.#closingSinceMs >= RETRY_MS) {
      void this.#requestClosing();
    }
    if (now - this.#closingSinceMs >= UNKNOWN_MS) {
      this.#wish.value = "close_unknown";
    }
    this.#cancel = this.#ports.timers.after(RETRY_MS, () => this.#askToClose());
  }

  async #requestClosing(): Promise<void> {
    const isClosed = await this.#ports.requestClosing();
    if (isClosed && this.#isClosing) {
      this.#fulfil("none");
    }
  }

  #fulfil(wish: Wish): void {
    this.#cancel();
    this.#wish.value = wish;
  }
}
