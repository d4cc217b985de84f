// Keeps the newest time of the server's clock that this page was told: whoever repeats it proves that what they say is
// younger than that.
import type { Timers } from "./timers";

export interface Heard {
  /** The server's clock, as it told it. */
  readonly server_ms: number;
  /** How long ago that was heard, by the page's clock. */
  readonly age_ms: number;
}

export class ServerTime {
  readonly #timers: Pick<Timers, "now">;
  #told: { readonly server_ms: number; readonly at_ms: number } | null = null;

  constructor(timers: Pick<Timers, "now">) {
    this.#timers = timers;
  }

  /** The server told its time. A later message counts, although its time be earlier: a clock may be set back. */
  receive(server_ms: number): void {
    this.#told = { server_ms, at_ms: this.#timers.now() };
  }

  /** What was told says nothing any more. */
  forget(): void {
    this.#told = null;
  }

  /** The newest, or null where nothing was told. */
  get heard(): Heard | null {
    return this.#told && { server_ms: this.#told.server_ms, age_ms: this.#timers.now() - this.#told.at_ms };
  }
}
