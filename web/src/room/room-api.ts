// The room's requests: the visit book, who need not knock, and the quiet hours.

/** A line of the visit book. */
export interface VisitRow {
  readonly id: string;
  readonly person: string;
  readonly name: string;
  readonly began_utc_s: number;
  readonly lasted_s: number;
  readonly looked_s: number;
  readonly drove_s: number;
  readonly ways: readonly string[];
  readonly stills: number;
  readonly knocks: number;
  readonly refusals: number;
}

export interface VisitPage {
  readonly visits: readonly VisitRow[];
  readonly more: boolean;
  readonly kept: boolean;
}

/** Whether a person has to knock. */
export type Welcome = "always" | "asked";

export interface PersonRow {
  readonly person: string;
  readonly name: string;
  readonly role: string;
  readonly welcome: Welcome;
}

/** From a time of a weekday (Monday is 0) to another: of the same day if that is later, else of the next. */
export interface Hours {
  readonly weekday: number;
  /** As in "22:00". */
  readonly from: string;
  readonly until: string;
}

export interface RoomRules {
  readonly people: readonly PersonRow[];
  readonly hours: readonly Hours[];
}

const ROOM = "/api/v1/room";
const VISITS = `${ROOM}/visits`;

export class RoomApi {
  readonly #fetch: (path: string, init: RequestInit) => Promise<Response>;

  constructor(fetch: (path: string, init: RequestInit) => Promise<Response>) {
    this.#fetch = fetch;
  }

  /** Whether the server still knows this session; null if it cannot be reached. */
  async hasSession(): Promise<boolean | null> {
    const response = await this.#request("GET", ROOM);
    return response === null ? null : response.status !== 401;
  }

  /** True once the curtain is closed. */
  async closeCurtain(): Promise<boolean> {
    const response = await this.#request("PUT", `${ROOM}/curtain`, { closed: true });
    return response?.ok === true;
  }

  /** Who has to knock, and the quiet hours; null if that could not be had. */
  async rules(): Promise<RoomRules | null> {
    return rulesOf(await this.#request("GET", ROOM));
  }

  /** Says whether a person has to knock; returns the rules from then on, or null. */
  async setWelcome(person: string, welcome: Welcome): Promise<RoomRules | null> {
    return rulesOf(await this.#request("PUT", `${ROOM}/welcome/${encodeURIComponent(person)}`, { welcome }));
  }

  /** Sets all quiet hours; returns the rules from then on, or null. */
  async setHours(hours: readonly Hours[]): Promise<RoomRules | null> {
    return rulesOf(await this.#request("PUT", `${ROOM}/hours`, { hours }));
  }

  /** The newest visits, or those before this one; null if they could not be had. */
  async visits(before: string | null = null): Promise<VisitPage | null> {
    const response = await this.#request("GET", before === null ? VISITS : `${VISITS}?before=${before}`);
    return response?.ok === true ? await jsonOf<VisitPage>(response) : null;
  }

  /** Deletes a line; true also where it was gone already. */
  async deleteVisit(id: string): Promise<boolean> {
    const response = await this.#request("DELETE", `${VISITS}/${id}`);
    return response !== null && (response.ok || response.status === 404);
  }

  /** Where the whole book can be had as a file. */
  exportPath(format: "csv" | "json"): string {
    return `${VISITS}/export?format=${format}`;
  }

  /** Sends a request; null if the server cannot be reached. */
  async #request(method: string, path: string, body?: object): Promise<Response | null> {
    const content =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    try {
      return await this.#fetch(path, { method, cache: "no-store", ...content });
    } catch {
      return null;
    }
  }
}

async function rulesOf(response: Response | null): Promise<RoomRules | null> {
  return response?.ok === true ? await jsonOf<RoomRules>(response) : null;
}

async function jsonOf<T>(response: Response): Promise<T | null> {
  try {
    return (await response.json()) as T;
  } catch {
    return null;
  }
}
