// Maps the RTP timestamps of received frames to their capture time on the server's clock.

/** RTP video timestamps have a 90 kHz clock. */
const TICKS_PER_MS = 90;

/** One instant on both clocks. */
export interface CaptureAnchor {
  readonly rtpTimestamp: number;
  readonly serverMs: number;
}

/** Parses the `Belvedere-Capture-Clock` header, `rtp=<uint32>;server=<milliseconds>`; null if it is malformed. */
export function parseCaptureClock(header: string | null): CaptureAnchor | null {
  const match = /^\s*rtp=(\d{1,10})\s*;\s*server=(\d+(?:\.\d+)?)\s*$/.exec(header ?? "");
  if (match === null) {
    return null;
  }
  const anchor = { rtpTimestamp: Number(match[1]), serverMs: Number(match[2]) };
  return anchor.rtpTimestamp < 2 ** 32 ? anchor : null;
}

/** Unwraps one stream's timestamps: they wrap every thirteen hours, so each is taken relative to the one before. */
export class CaptureClock {
  #rtpTimestamp: number;
  #serverMs: number;

  constructor(anchor: CaptureAnchor) {
    this.#rtpTimestamp = anchor.rtpTimestamp;
    this.#serverMs = anchor.serverMs;
  }

  /** When the frame with this timestamp was captured, in milliseconds of the server's clock. */
  capturedAtMs(rtpTimestamp: number): number {
    const ticks = (rtpTimestamp - this.#rtpTimestamp) | 0; // signed 32-bit: small across a wrap, negative if reordered
    this.#rtpTimestamp = rtpTimestamp;
    this.#serverMs += ticks / TICKS_PER_MS;
    return this.#serverMs;
  }
}
