// Keeps the newest time of the server's clock that this page was told: whoever repeats it proves that what they say is
// younger than that.
import type { Timers } from "./timers";

export interface ServerTimestamp {
  /** The server's clock, as it told it. */
  readonly serverMs: number;
  /** How long ago it was received, by the page's clock. */
  readonly ageMs: number;
}

export class ServerTime {
  readonly #timers: Pick<Timers, "now">;
  #told: { readonly serverMs: number; readonly atMs: number } | null = null;

  constructor(timers: Pick<Timers, "now">) {
    this.#timers = timers;
  }

  /** The server told its time. A later message counts, although its time be earlier: a clock may be set back. */
  receive(serverMs: number): void {
    this.#told = { serverMs, atMs: this.#timers.now() };
  }

  /** What was told says nothing any more. */
  forget(): void {
    this.#told = null;
  }

  /** The newest, or null where nothing was told. */
  get newest(): ServerTimestamp | null {
    return this.#told && { serverMs: this.#told.serverMs, ageMs: this.#timers.now() - this.#told.atMs };
  }
}
