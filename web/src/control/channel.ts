// The control socket: opens it, says hello, keeps it alive, notices when it is dead, and opens the next one. What the
// messages mean is not known here.
import { type ReadonlySignal, signal } from "@preact/signals";
import { backoffMs } from "../time/backoff";
import type { Cancel, Timers } from "../time/timers";
import { readMessage } from "../wire/incoming";
import { CLOSE_CODES, type ClientMessage, type ServerMessage } from "../wire/messages";
import { hello, ping } from "../wire/outgoing";

export const SUBPROTOCOL = "belvedere.v1";
/** A server that says nothing after `hello` for this long is not going to. */
const WELCOME_MS = 5000;
/** A ping without an answer for this long means a dead connection, whatever the browser believes. */
const DEAD_MS = 6000;
/** The first pings follow quickly, because one quick answer tells the clocks' offset well. */
const FIRST_PINGS_MS = [50, 150, 400, 800];
/** A connection that stood this long was good: the next failure starts the patience anew. */
const GOOD_MS = 10_000;
/** Two of our messages: more in the browser's own buffer means that the network takes none. */
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
  /** Whether the server still knows this visitor; null where it cannot be asked. */
  isWelcome(): Promise<boolean | null>;
  receive(message: ServerMessage): void;
}

export type ChannelState =
  | { readonly kind: "closed" }
  | { readonly kind: "connecting"; readonly attempt: number }
  | { readonly kind: "open" }
  | { readonly kind: "waiting"; readonly attempt: number }
  /** `words` say why, for people, where the server said so; "" where it did not. */
  | { readonly kind: "ended"; readonly words: string };

export class Channel {
  readonly #ports: ChannelPorts;
  readonly #state = signal<ChannelState>({ kind: "closed" });
  #socket: Socket | null = null;
  #attempt = 0;
  #openedAtMs = 0;
  #pingIntervalMs = 20_000;
  #pings = 0;
  #unansweredSinceMs: number | null = null;
  #cancelWait: Cancel = () => {};
  #cancelPing: Cancel = () => {};
  #cancelDead: Cancel = () => {};

  constructor(ports: ChannelPorts) {
    this.#ports = ports;
  }

  get state(): ReadonlySignal<ChannelState> {
    return this.#state;
  }

  /** How long the oldest unanswered ping has been waiting; 0 where all were answered. */
  get silenceMs(): number {
    return this.#unansweredSinceMs === null ? 0 : this.#ports.timers.now() - this.#unansweredSinceMs;
  }

  /** Opens the channel and keeps it open until `close`. */
  open(): void {
    if (this.#state.value.kind === "closed" || this.#state.value.kind === "ended") {
      this.#attempt = 0;
      this.#connect();
    }
  }

  /** Ends it; whatever was said before still leaves. */
  close(): void {
    this.#drop();
    this.#state.value = { kind: "closed" };
  }

  /** The network came back, or the visitor did: no more waiting. */
  retryNow(): void {
    if (this.#state.value.kind === "waiting") {
      this.#connect();
    }
  }

  /** A new socket instead of this one, at once: what was measured on the way there counts no more. */
  renew(): void {
    if (this.#state.value.kind !== "closed" && this.#state.value.kind !== "ended") {
      this.#attempt = 0;
      this.#connect();
    }
  }

  /** How often to ping from now on. */
  setPace(intervalMs: number): void {
    if (intervalMs !== this.#pingIntervalMs) {
      this.#pingIntervalMs = intervalMs;
      this.#schedulePing();
    }
  }

  /** Hands a message to the open socket; false where there is none. */
  send(message: ClientMessage): boolean {
    if (this.#socket === null || this.#state.value.kind !== "open") {
      return false;
    }
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Asks for a sign of life now, and not only when it is due. */
  pingNow(): void {
    if (this.#state.value.kind === "open") {
      this.#ping();
    }
  }

  isBackedUp(): boolean {
    return this.#socket !== null && this.#socket.bufferedAmount > BACKED_UP_BYTES;
  }

  #connect(): void {
    this.#drop();
    this.#state.value = { kind: "connecting", attempt: this.#attempt };
    const socket = this.#ports.openSocket();
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify(hello(this.#ports.timers.now())));
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#receiveClose(event.code, event.reason);
    this.#cancelWait = this.#ports.timers.after(WELCOME_MS, () => this.#fail());
  }

  #receive(data: unknown): void {
    const message = readMessage(data);
    if (message === null) {
      return;
    }
    this.#hear();
    if (message.type === "welcome") {
      this.#cancelWait();
      this.#openedAtMs = this.#ports.timers.now();
      this.#pings = 0;
      this.#state.value = { kind: "open" };
      this.#schedulePing();
    }
    this.#ports.receive(message);
  }

  #receiveClose(code: number, words: string): void {
    if (code === CLOSE_CODES.no_session) {
      this.#drop();
      this.#state.value = { kind: "ended", words };
      return;
    }
    this.#fail();
  }

  #fail(): void {
    const wasOpen = this.#state.value.kind === "open";
    if (wasOpen && this.#ports.timers.now() - this.#openedAtMs > GOOD_MS) {
      this.#attempt = 0;
    }
    this.#drop();
    const attempt = this.#attempt++;
    this.#state.value = { kind: "waiting", attempt };
    const waitMs = backoffMs(attempt, this.#ports.random());
    this.#cancelWait = this.#ports.timers.after(waitMs, () => this.#connect());
    if (!wasOpen) {
      void this.#askWhetherWelcome();
    }
  }

  // A browser does not tell why a socket did not open; an ordinary request does.
  async #askWhetherWelcome(): Promise<void> {
    const isWelcome = await this.#ports.isWelcome();
    const isTrying = this.#state.value.kind === "waiting" || this.#state.value.kind === "connecting";
    if (isWelcome === false && isTrying) {
      this.#drop();
      this.#state.value = { kind: "ended", words: "" };
    }
  }

  #drop(): void {
    this.#cancelWait();
    this.#cancelPing();
    this.#hear();
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
      const waitMs = Math.min(FIRST_PINGS_MS[this.#pings] ?? this.#pingIntervalMs, this.#pingIntervalMs);
      this.#cancelPing = this.#ports.timers.after(waitMs, () => this.#ping());
    }
  }

  #ping(): void {
    this.#pings += 1;
    const nowMs = this.#ports.timers.now();
    if (this.#unansweredSinceMs === null) {
      this.#unansweredSinceMs = nowMs;
      this.#cancelDead = this.#ports.timers.after(DEAD_MS, () => this.#fail());
    }
    this.send(ping(nowMs));
    this.#schedulePing();
  }

  #hear(): void {
    this.#unansweredSinceMs = null;
    this.#cancelDead();
  }
}
