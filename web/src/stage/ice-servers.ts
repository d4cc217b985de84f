// The ICE servers that the owner configured, from `Link` headers with rel="ice-server" as the WHEP draft defines them.
import type { Timers } from "../time/timers";
import { WHEP_PATH } from "./whep";

/** One link value: a URI in angle brackets, then parameters whose quoted values may contain any character. */
const LINK = /<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]+))*)/g;
const PARAMETER = /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]+))/g;

/** The ICE servers in a `Link` header; other links are skipped. */
export function parseIceServers(link: string | null): RTCIceServer[] {
  return [...(link ?? "").matchAll(LINK)].flatMap(([, urls = "", rest = ""]) => {
    const parameters = new Map(
      [...rest.matchAll(PARAMETER)].map(([, name = "", quoted, plain]) => [
        name.toLowerCase(),
        quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "",
      ]),
    );
    if (parameters.get("rel") !== "ice-server" || !/^(stun|turn)s?:/i.test(urls)) {
      return [];
    }
    const username = parameters.get("username");
    const credential = parameters.get("credential");
    return [
      { urls, ...(username !== undefined && { username }), ...(credential !== undefined && { credential }) },
    ];
  });
}

/** Credentials in the list are valid for ten minutes at least. */
const FRESH_MS = 300_000;
/** How long joining waits for a fresh list; with an old one it may fail, without one it mostly works. */
const WAIT_MS = 500;

export interface IceServerPorts {
  readonly timers: Timers;
  fetch(path: string, init: RequestInit): Promise<Response>;
}

/** The ICE servers, fetched from the server again when their credentials may have expired. */
export class IceServers {
  readonly #ports: IceServerPorts;
  #list: RTCIceServer[] = [];
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | null = null;

  constructor(ports: IceServerPorts) {
    this.#ports = ports;
  }

  /** The newest list; empty before the first, because most installations need none. */
  get current(): RTCIceServer[] {
    return this.#list;
  }

  /** Resolves when `current` is fresh, or after a short time in any case; never rejects. */
  async refresh(): Promise<void> {
    // The wall clock, because the other one stands still while the computer sleeps.
    if (Math.abs(this.#ports.timers.wallNow() - this.#fetchedAtMs) < FRESH_MS) {
      return;
    }
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = null;
    });
    let cancel = () => {};
    const timeout = new Promise<void>((resolve) => {
      cancel = this.#ports.timers.after(WAIT_MS, resolve);
    });
    await Promise.race([this.#pending, timeout]);
    cancel();
  }

  async #fetch(): Promise<void> {
    const beganAtMs = this.#ports.timers.wallNow();
    try {
      const response = await this.#ports.fetch(WHEP_PATH, { method: "OPTIONS" });
      if (response.ok) {
        this.#list = parseIceServers(response.headers.get("link"));
        this.#fetchedAtMs = beganAtMs;
      }
    } catch {
      // the old list is used, and the next join tries again
    }
  }
}
