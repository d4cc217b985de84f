// What the page asks of the house about who may come in. Every answer says whether it is one, so that nobody forgets.
import type { House } from "../house/house";

/** An answer; `refused` has the server's code, `offline` none: the house cannot be reached, or is not well. */
export type Answer<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "refused"; readonly status: number; readonly code: string }
  | { readonly kind: "offline" };

export type Role = "owner" | "resident" | "visitor" | "guest" | "program";

/** Whose session this is. */
export interface SessionInfo {
  readonly id: string;
  readonly person: string;
  readonly name: string;
  readonly role: Role;
  readonly rights: readonly string[];
  /** How long it lasts at most; null without an end. */
  readonly ends_in_s: number | null;
}

/** Whom an invitation lets in. */
export interface InvitationInfo {
  readonly name: string;
  readonly role: Role;
}

/** A session in a list: in which browser, since when, and in which hour it was used last. */
export interface DeviceInfo {
  readonly id: string;
  readonly person: string;
  readonly name: string;
  readonly label: string;
  readonly opened_utc_s: number;
  readonly seen_utc_s: number;
  readonly is_current: boolean;
}

/** Somebody who may come in. */
export interface PersonInfo {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly has_joined: boolean;
  readonly sessions: number;
  readonly invitations: number;
}

/** A new invitation, which is shown once. */
export interface NewInvitation {
  readonly name: string;
  readonly link: string;
  readonly ends_in_s: number;
  /** A QR code of the link, a whole SVG document. */
  readonly qr_svg: string;
}

export interface PasskeyInfo {
  readonly id: string;
  readonly label: string;
  readonly host: string;
  readonly created_utc_s: number;
  readonly used_utc_s: number | null;
}

export class Api {
  readonly #house: Pick<House, "fetch">;

  constructor(house: Pick<House, "fetch">) {
    this.#house = house;
  }

  /** A POST that may not be repeated by itself. `body` becomes JSON; without one, none is sent. */
  post<T>(path: string, body?: object): Promise<Answer<T>> {
    return this.#ask("POST", path, body);
  }

  get<T>(path: string): Promise<Answer<T>> {
    return this.#ask("GET", path);
  }

  patch<T>(path: string, body: object): Promise<Answer<T>> {
    return this.#ask("PATCH", path, body);
  }

  delete(path: string): Promise<Answer<null>> {
    return this.#ask("DELETE", path);
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<Answer<T>> {
    const json = body === undefined ? {} : { body: JSON.stringify(body), headers: JSON_HEADERS };
    try {
      const response = await this.#house.fetch(`/api/v1${path}`, { method, cache: "no-store", ...json });
      const text = await response.text();
      const value: unknown = text === "" ? null : JSON.parse(text);
      if (response.ok) {
        return { kind: "ok", value: value as T };
      }
      return response.status >= 500
        ? { kind: "offline" }
        : { kind: "refused", status: response.status, code: codeOf(value) };
    } catch {
      return { kind: "offline" };
    }
  }
}

const JSON_HEADERS = { "content-type": "application/json" };

function codeOf(problem: unknown): string {
  const code = (problem as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}
