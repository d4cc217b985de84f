// Keeps the newest server time that this page received. A `drive` repeats it, which proves to the server that the
// message was made after that time, whatever the page's own clock says.
import type { Timers } from "./timers";

export interface ServerTimestamp {
  /** The server's clock, as the server sent it. */
  readonly serverMs: number;
  /** How long ago it was received, by the page's clock. */
  readonly ageMs: number;
}

export class ServerTime {
  readonly #timers: Pick<Timers, "now">;
  #received: { readonly serverMs: number; readonly atMs: number } | null = null;

  constructor(timers: Pick<Timers, "now">) {
    this.#timers = timers;
  }

  /** The server sent its time. The last one counts even if it is earlier: the clock may have been set back. */
  receive(serverMs: number): void {
    this.#received = { serverMs, atMs: this.#timers.now() };
  }

  /** Forgets it: the connection or the server's clock is a new one. */
  reset(): void {
    this.#received = null;
  }

  /** The newest, or null before any. */
  get newest(): ServerTimestamp | null {
    return (
      this.#received && {
        serverMs: this.#received.serverMs,
        ageMs: this.#timers.now() - this.#received.atMs,
      }
    );
  }
}
