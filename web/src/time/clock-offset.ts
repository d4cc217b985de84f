// Estimates how far the server's clock is from the page's, from pings and their answers.

/** Older ones know less about today's drift. */
const KEPT_MS = 30_000;
/** So many of them count however old they are, because an idle page pings rarely. */
const KEPT = 16;

interface Sample {
  readonly receivedAtMs: number;
  readonly roundTripMs: number;
  readonly offsetMs: number;
}

/**
 * The server's clock minus the page's, from the quickest of the recent round trips.
 *
 * An answer that came quickly leaves little room for error: the estimate is wrong by at most half its round trip.
 */
export class ClockOffset {
  /** The newest first. */
  #samples: Sample[] = [];

  /** Takes one answer: when the ping left and its answer came (page's clock), and the server's clock between. */
  receivePong(sentAtMs: number, serverMs: number, receivedAtMs: number): void {
    const roundTripMs = receivedAtMs - sentAtMs;
    if (!(roundTripMs >= 0)) {
      return; // an answer before its question: not our ping
    }
    const offsetMs = serverMs - (sentAtMs + receivedAtMs) / 2;
    this.#samples = [{ receivedAtMs, roundTripMs, offsetMs }, ...this.#samples].filter(
      (sample, place) => place < KEPT || receivedAtMs - sample.receivedAtMs < KEPT_MS,
    );
  }

  /** Forgets everything: the next socket may lead to a server whose clock began anew. */
  forget(): void {
    this.#samples = [];
  }

  /** Milliseconds to add to the page's clock to get the server's, or null before the first answer. */
  get offsetMs(): number | null {
    return this.#best?.offsetMs ?? null;
  }

  /** The quickest recent round trip in milliseconds, or null before the first answer. */
  get roundTripMs(): number | null {
    return this.#best?.roundTripMs ?? null;
  }

  get #best(): Sample | null {
    return this.#samples.reduce<Sample | null>(
      (best, sample) => (best === null || sample.roundTripMs < best.roundTripMs ? sample : best),
      null,
    );
  }
}
