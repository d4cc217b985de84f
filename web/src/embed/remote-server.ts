// A server that this page looks into from another origin. Within the same site the browser proves the session by the
// server's cookie; from elsewhere, where it sends none, this does by a bearer, which it renews. Sockets take a ticket.
import { type Server, type ServerSocket, socketAddress } from "../server/server";
import type { Cancel, Timers } from "../time/timers";
import type { BearerStore } from "./bearer-store";
import { TicketedSocket } from "./ticketed-socket";

/** The old one is valid for a little longer than that, so a copy of this tab can renew it, too. */
const RENEW_EVERY_MS = 15 * 60_000;
/** While the server cannot be reached. The bearer is valid for hours. */
const RETRY_MS = 30_000;
const LOGINS = "/api/v1/login/";

export interface RemoteServerPorts {
  readonly timers: Timers;
  readonly store: BearerStore;
  /** A secret of 43 letters, digits, `-` and `_`. */
  newSecret(): string;
  fetch(address: string, init: RequestInit): Promise<Response>;
  openSocket(address: URL, subprotocols: string[]): ServerSocket;
}

export class RemoteServer implements Server {
  readonly #base: string;
  readonly #ports: RemoteServerPorts;
  /** An invitation whose answer was lost can be redeemed again by whoever has this; other pages have a cookie for that. */
  readonly #browser: string;
  #isSameSite: Promise<boolean> | null = null;
  #cancelRenewal: Cancel = () => {};
  #isClosed = false;

  /** `base` is the server's origin, and the path that the house lives below, if any. */
  constructor(base: string, ports: RemoteServerPorts) {
    this.#base = base;
    this.#ports = ports;
    this.#browser = ports.newSecret();
    if (ports.store.bearer !== null) {
      this.#renewAfter(0); // nobody knows how old it is
    }
  }

  /** Rejects where the server cannot be reached, or lists no page of this origin. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    this.#isSameSite ??= this.#askWhetherSameSite();
    let isSameSite: boolean;
    try {
      isSameSite = await this.#isSameSite;
    } catch (error) {
      this.#isSameSite = null; // asked again with the next request
      throw error;
    }
    const response = await this.#send(path, init, isSameSite);
    if (path.startsWith(LOGINS) && response.ok) {
      await this.#receiveLogin(response.clone());
    }
    return response;
  }

  openSocket(path: string, subprotocol: string): ServerSocket {
    const address = socketAddress(path, this.#base);
    return new TicketedSocket(this.#ticket(), (ticket) =>
      this.#ports.openSocket(address, [subprotocol, `belvedere.ticket.${ticket}`]),
    );
  }

  /** Renews no more. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRenewal();
  }

  async #askWhetherSameSite(): Promise<boolean> {
    const init: RequestInit = { credentials: "omit", cache: "no-store" };
    const response = await this.#ports.fetch(`${this.#base}/api/v1/frontend`, init);
    if (!response.ok) {
      throw new TypeError(`the server answered ${response.status}`);
    }
    const { cookie } = (await response.json()) as { cookie: boolean };
    return cookie;
  }

  async #send(path: string, init: RequestInit, isSameSite: boolean): Promise<Response> {
    const headers = new Headers(init.headers);
    const { bearer } = this.#ports.store;
    // not for a login: an old bearer that is valid no more would be refused
    const isLogin = path.startsWith(LOGINS);
    const isByBearer = bearer !== null && !isSameSite && !isLogin;
    if (isLogin && !isSameSite) {
      headers.set("belvedere-browser", this.#browser);
    }
    if (isByBearer) {
      headers.set("authorization", `Bearer ${bearer}`);
    }
    const credentials = isSameSite ? "include" : "omit";
    const response = await this.#ports.fetch(this.#base + path, { ...init, headers, credentials });
    if (isByBearer && response.status === 401 && bearer === this.#ports.store.bearer) {
      this.#ports.store.keep(null);
    }
    return response;
  }

  async #ticket(): Promise<string | null> {
    try {
      const response = await this.fetch("/api/v1/tickets", { method: "POST" });
      return response.ok ? ((await response.json()) as { ticket: string }).ticket : null;
    } catch {
      return null;
    }
  }

  async #receiveLogin(response: Response): Promise<void> {
    const answer: unknown = await response.json().catch(() => null);
    this.#receiveBearer((answer as { bearer?: unknown } | null)?.bearer);
  }

  #receiveBearer(issued: unknown): void {
    const bearer = (issued as { bearer?: unknown } | null | undefined)?.bearer;
    if (typeof bearer === "string") {
      this.#ports.store.keep(bearer);
      this.#renewAfter(RENEW_EVERY_MS);
    }
  }

  #renewAfter(ms: number): void {
    this.#cancelRenewal();
    if (!this.#isClosed) {
      this.#cancelRenewal = this.#ports.timers.after(ms, () => void this.#renew());
    }
  }

  async #renew(): Promise<void> {
    try {
      const response = await this.fetch("/api/v1/bearers", { method: "POST" });
      if (response.ok) {
        this.#receiveBearer(await response.json());
        return;
      }
    } catch {
      // tried again below
    }
    if (this.#ports.store.bearer !== null) {
      this.#renewAfter(RETRY_MS);
    }
  }
}
