// Which rooms there are, and which of them this person may enter now: each room is asked itself, because only it knows.
// A few at a time, each for a short time, and again once a minute while somebody looks at the list.
import { type ReadonlySignal, signal } from "@preact/signals";
import type { RoomAccessState, SessionInfo } from "../login/answers";
import type { Api } from "../server/api";
import type { Cancel, Timers } from "../time/timers";

const ANSWER_WITHIN_MS = 4000;
const AT_A_TIME = 6; // what browsers open to one host
const AGAIN_MS = 60_000;
const FRESH_MS = 10_000; // whoever only switches between windows asks nobody anew

/** A room of the settings. */
export interface ListedRoom {
  readonly name: string;
  readonly url: string;
}

/** What a room says to this person; `unreachable` where it says nothing in time. */
export type RoomState = RoomAccessState | "unreachable";

export interface RoomRow extends ListedRoom {
  readonly state: RoomState;
}

/** What is known: nothing yet, the rooms that answered so far, or why there is no list. */
export type RoomListState =
  | { readonly kind: "loading" }
  | { readonly kind: "known"; readonly rows: readonly RoomRow[]; readonly isAsking: boolean }
  | { readonly kind: "offline" }
  | { readonly kind: "ended" };

export interface RoomListPorts {
  readonly api: Api;
  readonly timers: Timers;
  /** The browser's own: a room is asked by its whole address. */
  fetch(address: string, init: RequestInit): Promise<Response>;
}

export class RoomList {
  readonly #ports: RoomListPorts;
  readonly #state = signal<RoomListState>({ kind: "loading" });
  #isBusy = false;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #cancelNext: Cancel = () => {};

  constructor(ports: RoomListPorts) {
    this.#ports = ports;
  }

  get state(): ReadonlySignal<RoomListState> {
    return this.#state;
  }

  /** Somebody looks at the list from now on, or nobody does. */
  receiveVisibility(isVisible: boolean): void {
    this.#cancelNext();
    if (!isVisible) {
      return;
    }
    const { timers } = this.#ports;
    const dueInMs = this.#askedAtMs + FRESH_MS - timers.now();
    if (dueInMs <= 0) {
      void this.refresh();
    }
    this.#cancelNext = timers.after(AGAIN_MS, () => this.receiveVisibility(true));
  }

  /** Asks for the list, and each room of it; does nothing while that is under way. */
  async refresh(): Promise<void> {
    if (this.#isBusy) {
      return;
    }
    this.#isBusy = true;
    this.#askedAtMs = this.#ports.timers.now();
    try {
      await this.#refresh();
    } finally {
      this.#isBusy = false;
    }
  }

  async #refresh(): Promise<void> {
    const answer = await this.#ports.api.get<readonly ListedRoom[]>("/rooms");
    if (answer.kind === "refused") {
      this.#state.value = { kind: "ended" };
      return;
    }
    if (answer.kind === "offline") {
      this.#state.value = { kind: "offline" };
      return;
    }
    const listed = answer.value;
    const before = this.#state.value;
    const states = new Map<string, RoomState | null>(
      before.kind === "known" ? before.rows.map(({ url, state }) => [url, state]) : [],
    );
    const show = (isAsking: boolean) => {
      const rows = listed.flatMap((room) => {
        const state = states.get(room.url) ?? null;
        return state === null ? [] : [{ ...room, state }];
      });
      this.#state.value = { kind: "known", rows, isAsking };
    };
    show(true);
    const waiting = [...listed];
    const askOneByOne = async () => {
      for (let room = waiting.shift(); room !== undefined; room = waiting.shift()) {
        states.set(room.url, await this.#ask(room));
        show(true);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, askOneByOne));
    show(false);
  }

  /** What a room says to this person; null where they may not enter. */
  async #ask({ url }: ListedRoom): Promise<RoomState | null> {
    const controller = new AbortController();
    const late = new Promise<null>((resolve) => {
      controller.signal.addEventListener("abort", () => resolve(null));
    });
    const cancel = this.#ports.timers.after(ANSWER_WITHIN_MS, () => controller.abort());
    const init: RequestInit = {
      cache: "no-store",
      credentials: "include",
      redirect: "error",
      signal: controller.signal,
    };
    try {
      const response = await Promise.race([this.#ports.fetch(`${url}/api/v1/session`, init), late]);
      if (response?.status === 401 || response?.status === 403) {
        return null;
      }
      if (!response?.ok) {
        return "unreachable";
      }
      const session: Partial<SessionInfo> | null = await Promise.race([response.json(), late]);
      return session === null ? "unreachable" : (session.access ?? "open"); // an older one does not say
    } catch {
      return "unreachable";
    } finally {
      cancel();
    }
  }
}
