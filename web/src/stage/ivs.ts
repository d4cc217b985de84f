// Watching through Amazon IVS: takes a token from our server, joins with Amazon's SDK, and tells our server that somebody
// watches. Retrying is decided elsewhere, and each attempt takes a token of its own.
import type { Cancel, Timers } from "../time/timers";
import type { JoinFailure } from "./way";
import { JoinError, readFailure } from "./whep";

export const IVS_PATH = "/api/v1/stage/ivs/participants";
/** A token takes milliseconds, or a call to AWS. */
const ANSWER_TIMEOUT_MS = 8000;

/** What happens on Amazon's stage, of the participant who is the camera. */
export interface IvsStageEvents {
  /** It sends these tracks; it may change to another participant, when its time is over. */
  onTracks(participant: string, tracks: readonly MediaStreamTrack[]): void;
  onGone(participant: string): void;
  /** The stage was left, but not by us. */
  onLeft(): void;
}

export interface IvsStage {
  join(): Promise<void>;
  leave(): void;
}

/** What `ivs-sdk.ts` exports, which is loaded when it is needed. */
export interface IvsSdk {
  openStage(token: string, events: IvsStageEvents): IvsStage;
}

export interface IvsPorts {
  readonly timers: Timers;
  fetch(path: string, init: RequestInit): Promise<Response>;
  loadSdk(): Promise<IvsSdk>;
  newStream(tracks: readonly MediaStreamTrack[]): MediaStream;
}

export interface IvsEvents {
  /** The stream exists; its first frame follows. May be called again with another one. */
  onStream(stream: MediaStream): void;
  /** There is no picture by this way any more; called at most once. */
  onLost(failure: JoinFailure): void;
}

export interface IvsSession {
  /** Ends it here and at the server; may be called twice, and while the page is being unloaded. */
  leave(): void;
}

/** A place on the stage, as the server gives it. */
interface Place {
  readonly participant: string;
  readonly token: string;
  readonly beat_s: number;
}

/** Joins; lasts until `leave`. Rejects with JoinError. When `signal` aborts, everything is given back. */
export async function joinIvs(
  ports: IvsPorts,
  view: string,
  events: IvsEvents,
  signal: AbortSignal,
): Promise<IvsSession> {
  const loading = ports.loadSdk();
  loading.catch(() => {}); // it is awaited below, unless there is no place
  const session = new Session(ports, await takePlace(ports, view), events);
  signal.addEventListener("abort", () => session.leave());
  try {
    const sdk = await loading;
    if (!signal.aborted) {
      await session.join(sdk);
    }
  } catch (error) {
    session.leave();
    throw new JoinError("failed", error);
  }
  if (signal.aborted) {
    session.leave();
    throw new JoinError("failed");
  }
  return session;
}

async function takePlace(ports: IvsPorts, view: string): Promise<Place> {
  const timeout = new AbortController();
  const cancel = ports.timers.after(ANSWER_TIMEOUT_MS, () => timeout.abort());
  try {
    const path = `${IVS_PATH}?view=${encodeURIComponent(view)}`;
    const response = await ports.fetch(path, { method: "POST", signal: timeout.signal });
    if (response.status !== 201) {
      throw new JoinError(await readFailure(response));
    }
    const place: unknown = await response.json();
    if (!isPlace(place)) {
      throw new JoinError("failed");
    }
    return place;
  } catch (error) {
    throw error instanceof JoinError ? error : new JoinError("failed", error);
  } finally {
    cancel();
  }
}

function isPlace(value: unknown): value is Place {
  const { participant, token, beat_s } = (value ?? {}) as Partial<Record<keyof Place, unknown>>;
  return typeof participant === "string" && typeof token === "string" && typeof beat_s === "number";
}

/** `keepalive` lets the request outlive the page. If it fails, the server notices that no beat comes. */
function givePlaceBack(ports: IvsPorts, place: Place): void {
  ports.fetch(pathOf(place), { method: "DELETE", keepalive: true }).catch(() => {});
}

function pathOf(place: Place): string {
  return `${IVS_PATH}/${encodeURIComponent(place.participant)}`;
}

class Session implements IvsSession {
  readonly #ports: IvsPorts;
  readonly #place: Place;
  readonly #events: IvsEvents;
  /** Of the cameras that send, the newest last: while one takes over, there are two. */
  readonly #cameras = new Map<string, readonly MediaStreamTrack[]>();
  #stage: IvsStage | null = null;
  #shown: string | null = null;
  #isOver = false;
  #cancelBeat: Cancel = () => {};

  constructor(ports: IvsPorts, place: Place, events: IvsEvents) {
    this.#ports = ports;
    this.#place = place;
    this.#events = events;
  }

  async join(sdk: IvsSdk): Promise<void> {
    this.#beatLater();
    this.#stage = sdk.openStage(this.#place.token, {
      onTracks: (participant, tracks) => this.#receiveTracks(participant, tracks),
      onGone: (participant) => this.#receiveGone(participant),
      onLeft: () => this.#lose("failed"),
    });
    await this.#stage.join();
  }

  leave(): void {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    this.#cancelBeat();
    this.#stage?.leave();
    givePlaceBack(this.#ports, this.#place);
  }

  #receiveTracks(participant: string, tracks: readonly MediaStreamTrack[]): void {
    const video = tracks.find(({ kind }) => kind === "video");
    if (this.#isOver || video === undefined) {
      return;
    }
    this.#cameras.delete(participant);
    this.#cameras.set(participant, tracks);
    if (this.#shown === null || !video.muted) {
      this.#show(participant);
    } else {
      // The picture that is shown stays until this one has begun.
      video.addEventListener("unmute", () => this.#show(participant), { once: true });
    }
  }

  #receiveGone(participant: string): void {
    this.#cameras.delete(participant);
    const other = [...this.#cameras.keys()].at(-1);
    if (participant === this.#shown) {
      this.#shown = null;
      if (other !== undefined) {
        this.#show(other);
      }
    }
  }

  #show(participant: string): void {
    const tracks = this.#cameras.get(participant);
    if (!this.#isOver && tracks !== undefined && participant !== this.#shown) {
      this.#shown = participant;
      this.#events.onStream(this.#ports.newStream(tracks));
    }
  }

  /** Without beats the server takes this for a page that is gone. */
  #beatLater(): void {
    this.#cancelBeat = this.#ports.timers.after(this.#place.beat_s * 1000, () => {
      this.#beatLater();
      this.#ports.fetch(pathOf(this.#place), { method: "PUT" }).then(
        async (response) => {
          if (!response.ok && response.status < 500) {
            this.#lose(await readFailure(response)); // put out; a 5xx says nothing about us
          }
        },
        () => {}, // offline for a moment
      );
    });
  }

  #lose(failure: JoinFailure): void {
    if (!this.#isOver) {
      this.leave();
      this.#events.onLost(failure);
    }
  }
}
