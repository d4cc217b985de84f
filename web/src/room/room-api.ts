// The room's requests: the visit book, who need not knock, and the quiet hours.
import type { Answer, Api } from "../server/api";
import { basePath } from "../server/base-path";

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
  readonly talked_s: number;
  readonly talked_utc_s: number;
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
  /** Whether guests may hear the room. */
  readonly guests_hear: boolean;
}

const ROOM = "/room";
const VISITS = `${ROOM}/visits`;

export class RoomApi {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** True once the curtain is closed. */
  async closeCurtain(): Promise<boolean> {
    const answer = await this.#api.put(`${ROOM}/curtain`, { closed: true });
    return answer.kind === "ok";
  }

  /** True once the microphone is off. */
  async switchMicrophoneOff(): Promise<boolean> {
    const answer = await this.#api.put(`${ROOM}/microphone`, { off: true });
    return answer.kind === "ok";
  }

  /** Says whether guests may hear the room; returns the rules from then on, or null. */
  async setGuestsHear(hear: boolean): Promise<RoomRules | null> {
    return orNull(await this.#api.put<RoomRules>(`${ROOM}/guests`, { hear }));
  }

  /** Who has to knock, and the quiet hours; null if that could not be had. */
  async rules(): Promise<RoomRules | null> {
    return orNull(await this.#api.get<RoomRules>(ROOM));
  }

  /** Says whether a person has to knock; returns the rules from then on, or null. */
  async setWelcome(person: string, welcome: Welcome): Promise<RoomRules | null> {
    return orNull(
      await this.#api.put<RoomRules>(`${ROOM}/welcome/${encodeURIComponent(person)}`, { welcome }),
    );
  }

  /** Sets all quiet hours; returns the rules from then on, or null. */
  async setHours(hours: readonly Hours[]): Promise<RoomRules | null> {
    return orNull(await this.#api.put<RoomRules>(`${ROOM}/hours`, { hours }));
  }

  /** The newest visits, or those before this one; null if they could not be had. */
  async visits(before: string | null = null): Promise<VisitPage | null> {
    return orNull(await this.#api.get<VisitPage>(before === null ? VISITS : `${VISITS}?before=${before}`));
  }

  /** Deletes a line; true also where it was gone already. */
  async deleteVisit(id: string): Promise<boolean> {
    const answer = await this.#api.delete(`${VISITS}/${id}`);
    return answer.kind === "ok" || (answer.kind === "refused" && answer.status === 404);
  }

  /** Where the whole book can be had as a file. */
  exportPath(format: "csv" | "json"): string {
    return `${basePath()}/api/v1${VISITS}/export?format=${format}`;
  }
}

function orNull<T>(answer: Answer<T>): T | null {
  return answer.kind === "ok" ? answer.value : null;
}
