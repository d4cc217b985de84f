// Estimates how far the server's clock is from the page's, from pings and their answers.

/** Older ones know less about today's drift. */
const KEPT_MS = 30_000;
/** So many of them count however old they are, because an idle page pings rarely. */
const KEPT = 16;

interface Sample {
  readonly received_ms: number;
  readonly roundTrip_ms: number;
  readonly offset_ms: number;
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
  receivePong(sent_ms: number, server_ms: number, received_ms: number): void {
    const roundTrip_ms = received_ms - sent_ms;
    if (!(roundTrip_ms >= 0)) {
      return; // an answer before its question: not our ping
    }
    const offset_ms = server_ms - (sent_ms + received_ms) / 2;
    this.#samples = [{ received_ms, roundTrip_ms, offset_ms }, ...this.#samples].filter(
      (sample, place) => place < KEPT || received_ms - sample.received_ms < KEPT_MS,
    );
  }

  /** Forgets everything: the next socket may lead to a server whose clock began anew. */
  forget(): void {
    this.#samples = [];
  }

  /** Milliseconds to add to the page's clock to get the server's, or null before the first answer. */
  get offset_ms(): number | null {
    return this.#best?.offset_ms ?? null;
  }

  /** The quickest recent round trip in milliseconds, or null before the first answer. */
  get roundTrip_ms(): number | null {
    return this.#best?.roundTrip_ms ?? null;
  }

  get #best(): Sample | null {
    return this.#samples.reduce<Sample | null>(
      (best, sample) => (best === null || sample.roundTrip_ms < best.roundTrip_ms ? sample : best),
      null,
    );
  }
}
