// Estimates the offset between the server's clock and the page's from the round trips of pings, as NTP does.

/** Older samples say little about the present offset, because clocks drift. */
const MAX_SAMPLE_AGE_MS = 30_000;
/** This many are kept however old they are, because an idle page pings rarely. */
const MIN_SAMPLES = 16;

interface Sample {
  readonly receivedAtMs: number;
  readonly roundTripMs: number;
  readonly offsetMs: number;
}

/**
 * The server's clock minus the page's, from the quickest of the recent round trips.
 *
 * The quickest answer gives the best estimate: it is wrong by at most half its round trip.
 */
export class ClockOffset {
  /** Newest first. */
  #samples: Sample[] = [];

  /** Takes one pong: when its ping was sent and it was received (page's clock), and the server time in between. */
  receivePong(sentAtMs: number, serverMs: number, receivedAtMs: number): void {
    const roundTripMs = receivedAtMs - sentAtMs;
    if (!(roundTripMs >= 0)) {
      return; // NaN, or received before it was sent: not an answer to our ping
    }
    const offsetMs = serverMs - (sentAtMs + receivedAtMs) / 2;
    this.#samples = [{ receivedAtMs, roundTripMs, offsetMs }, ...this.#samples].filter(
      (sample, index) => index < MIN_SAMPLES || receivedAtMs - sample.receivedAtMs < MAX_SAMPLE_AGE_MS,
    );
  }

  /** Forgets everything: the server may have restarted, and its clock with it. */
  reset(): void {
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
