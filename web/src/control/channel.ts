// The control socket: connects, says hello, pings, notices a dead connection, and reconnects. What the messages mean is
// not known here.
import { type ReadonlySignal, signal } from "@preact/signals";
import { backoffMs } from "../time/backoff";
import type { Cancel, Timers } from "../time/timers";
import { parseMessage } from "../wire/incoming";
import { CLOSE_CODES, type ClientMessage, type ServerMessage } from "../wire/messages";
import { hello, ping } from "../wire/outgoing";

export const SUBPROTOCOL = "belvedere.v1";
/** How long to wait for `welcome`, from the attempt to connect on. */
const WELCOME_TIMEOUT_MS = 5000;
/** A ping without an answer for this long means a dead connection, even if the browser still reports it as open. */
const PING_TIMEOUT_MS = 6000;
/** The first pings follow quickly: the clock offset is needed soon, and one quick round trip gives a good estimate. */
const FIRST_PINGS_MS = [50, 150, 400, 800];
/** After a connection that lasted this long, the backoff starts again from its first step. */
const STABLE_MS = 10_000;
/** A page that nobody sees reconnects so often. */
const MAX_HIDDEN_ATTEMPTS = 1;
/** About two of our messages: more than that in the browser's send buffer means that the network is stalled. */
const BACKED_UP_BYTES = 400;

/** The part of a WebSocket that this page uses. */
export interface Socket {
  readonly bufferedAmount: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent<unknown>) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface ChannelPorts {
  readonly timers: Timers;
  random(): number;
  openSocket(): Socket;
  /** Whether the server still knows this visitor's session; null if it cannot be reached. */
  hasSession(): Promise<boolean | null>;
  receive(message: ServerMessage): void;
}

export type ChannelState =
  | { readonly kind: "closed" }
  | { readonly kind: "connecting"; readonly attempt: number }
  | { readonly kind: "open" }
  | { readonly kind: "waiting"; readonly attempt: number }
  /** For good: the session has ended. `reason` is the server's code for why, or "". */
  | { readonly kind: "ended"; readonly reason: string };

export class Channel {
  readonly #ports: ChannelPorts;
  readonly #state = signal<ChannelState>({ kind: "closed" });
  #socket: Socket | null = null;
  #attempt = 0;
  #isVisible = true;
  /** Attempts since the page was hidden. */
  #hiddenAttempts = 0;
  #openedAtMs = 0;
  #pingIntervalMs = 20_000;
  #pingCount = 0;
  #unansweredSinceMs: number | null = null;
  #cancelWait: Cancel = () => {};
  #cancelPing: Cancel = () => {};
  #cancelPingTimeout: Cancel = () => {};

  constructor(ports: ChannelPorts) {
    this.#ports = ports;
  }

  get state(): ReadonlySignal<ChannelState> {
    return this.#state;
  }

  /** How long the oldest unanswered ping has been waiting; 0 if none is. */
  get silenceMs(): number {
    return this.#unansweredSinceMs === null ? 0 : this.#ports.timers.now() - this.#unansweredSinceMs;
  }

  /** Connects, and reconnects whenever necessary, until `close`. */
  open(): void {
    if (this.#state.value.kind === "closed" || this.#state.value.kind === "ended") {
      this.#attempt = 0;
      this.#connect();
    }
  }

  /** Closes it for good; messages that were sent before are still delivered. */
  close(): void {
    this.#closeSocket();
    this.#state.value = { kind: "closed" };
  }

  /** Ends a wait now: the network or the visitor came back. */
  retryNow(): void {
    if (this.#state.value.kind === "waiting") {
      this.#connect();
    }
  }

  /**
   * The page was hidden or shown. Browsers slow the timers of a hidden page down until the server hears no ping in time,
   * and whoever hid it may never come back: a connection that is lost then is made once more, and next when the page is
   * shown, or `retryNow` is called.
   */
  receiveVisibility(isVisible: boolean): void {
    this.#isVisible = isVisible;
    this.#hiddenAttempts = 0;
  }

  /** Replaces the socket at once, and starts the backoff again. */
  reconnect(): void {
    if (this.#state.value.kind !== "closed" && this.#state.value.kind !== "ended") {
      this.#attempt = 0;
      this.#connect();
    }
  }

  setPingInterval(intervalMs: number): void {
    if (intervalMs !== this.#pingIntervalMs) {
      this.#pingIntervalMs = intervalMs;
      this.#schedulePing();
    }
  }

  /** Sends a message on the open socket; false if there is none. */
  send(message: ClientMessage): boolean {
    if (this.#socket === null || this.#state.value.kind !== "open") {
      return false;
    }
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Sends a ping now rather than when it is due. */
  pingNow(): void {
    if (this.#state.value.kind === "open") {
      this.#ping();
    }
  }

  /** Whether the send buffer is filling up because the network is stalled. */
  isBackedUp(): boolean {
    return this.#socket !== null && this.#socket.bufferedAmount > BACKED_UP_BYTES;
  }

  #connect(): void {
    this.#closeSocket();
    this.#state.value = { kind: "connecting", attempt: this.#attempt };
    const socket = this.#ports.openSocket();
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify(hello(this.#ports.timers.now())));
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#receiveClose(event.code, event.reason);
    this.#cancelWait = this.#ports.timers.after(WELCOME_TIMEOUT_MS, () => this.#retryLater());
  }

  #receive(data: unknown): void {
    const message = parseMessage(data);
    if (message === null) {
      return;
    }
    this.#clearSilence();
    if (message.type === "welcome") {
      this.#cancelWait();
      this.#openedAtMs = this.#ports.timers.now();
      this.#pingCount = 0;
      this.#state.value = { kind: "open" };
      this.#schedulePing();
    }
    this.#ports.receive(message);
  }

  #receiveClose(code: number, reason: string): void {
    if (code === CLOSE_CODES.no_session) {
      this.#closeSocket();
      this.#state.value = { kind: "ended", reason };
      return;
    }
    this.#retryLater();
  }

  #retryLater(): void {
    const wasOpen = this.#state.value.kind === "open";
    if (wasOpen && this.#ports.timers.now() - this.#openedAtMs > STABLE_MS) {
      this.#attempt = 0;
    }
    this.#closeSocket();
    const attempt = this.#attempt++;
    this.#state.value = { kind: "waiting", attempt };
    if (this.#isVisible || this.#hiddenAttempts++ < MAX_HIDDEN_ATTEMPTS) {
      const waitMs = backoffMs(attempt, this.#ports.random());
      this.#cancelWait = this.#ports.timers.after(waitMs, () => this.#connect());
    }
    if (!wasOpen) {
      void this.#checkSession();
    }
  }

  // A browser does not report the status code with which a WebSocket was refused; an ordinary request does.
  async #checkSession(): Promise<void> {
    const hasSession = await this.#ports.hasSession();
    const isRetrying = this.#state.value.kind === "waiting" || this.#state.value.kind === "connecting";
    if (hasSession === false && isRetrying) {
      this.#closeSocket();
      this.#state.value = { kind: "ended", reason: "" };
    }
  }

  #closeSocket(): void {
    this.#cancelWait();
    this.#cancelPing();
    this.#clearSilence();
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) {
      socket.onopen = null;
      socket.onmessage = null;
      socket.onclose = null;
      socket.close(1000);
    }
  }

  #schedulePing(): void {
    this.#cancelPing();
    if (this.#state.value.kind === "open") {
      const waitMs = Math.min(FIRST_PINGS_MS[this.#pingCount] ?? this.#pingIntervalMs, this.#pingIntervalMs);
      this.#cancelPing = this.#ports.timers.after(waitMs, () => this.#ping());
    }
  }

  #ping(): void {
    this.#pingCount += 1;
    const nowMs = this.#ports.timers.now();
    if (this.#unansweredSinceMs === null) {
      this.#unansweredSinceMs = nowMs;
      this.#cancelPingTimeout = this.#ports.timers.after(PING_TIMEOUT_MS, () => this.#retryLater());
    }
    this.send(ping(nowMs));
    this.#schedulePing();
  }

  #clearSilence(): void {
    this.#unansweredSinceMs = null;
    this.#cancelPingTimeout();
  }
}
