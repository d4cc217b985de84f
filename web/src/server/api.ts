// The REST API. Every answer says whether it is one, so that nobody forgets.
import type { Server } from "./server";

/** An answer; `refused` has the server's code, `offline` none: the server cannot be reached, or is not ready. */
export type Answer<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "refused"; readonly status: number; readonly code: string }
  | { readonly kind: "offline" };

export class Api {
  readonly #server: Pick<Server, "fetch">;

  constructor(server: Pick<Server, "fetch">) {
    this.#server = server;
  }

  /** A POST that may not be repeated by itself. `body` becomes JSON; without one, none is sent. */
  post<T>(path: string, body?: object): Promise<Answer<T>> {
    return this.#ask("POST", path, body);
  }

  get<T>(path: string): Promise<Answer<T>> {
    return this.#ask("GET", path);
  }

  put<T>(path: string, body: object): Promise<Answer<T>> {
    return this.#ask("PUT", path, body);
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
      const response = await this.#server.fetch(`/api/v1${path}`, { method, cache: "no-store", ...json });
      const text = await response.text();
      const value: unknown = text === "" ? null : JSON.parse(text);
      if (response.ok) {
        return { kind: "ok", value: value as T };
      }
      const code = codeOf(value);
      return response.status >= 500 && code !== STORE_FAILED
        ? { kind: "offline" }
        : { kind: "refused", status: response.status, code };
    } catch {
      return { kind: "offline" };
    }
  }
}

/** The server is well, but its disk did not take what was asked for. */
const STORE_FAILED = "store_failed";
const JSON_HEADERS = { "content-type": "application/json" };

function codeOf(problem: unknown): string {
  const code = (problem as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** Whether the server still knows this session; null if it cannot be reached. */
export async function hasSession(api: Api): Promise<boolean | null> {
  const answer = await api.get("/session");
  if (answer.kind === "offline") {
    return null;
  }
  return answer.kind === "ok" || (answer.status !== 401 && answer.status !== 403);
}
