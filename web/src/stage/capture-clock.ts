// When a picture was taken: translates the time stamps that pictures travel with into the server's clock.

/** RTP counts video in ninetieths of a millisecond. */
const TICKS_PER_MS = 90;

/** One instant on both clocks. */
export interface CaptureAnchor {
  readonly rtp: number;
  readonly serverMs: number;
}

/** Reads `rtp=<uint32>;server=<milliseconds>`, the answer's `Belvedere-Capture-Clock`; null where it is not that. */
export function readCaptureClock(header: string | null): CaptureAnchor | null {
  const match = /^\s*rtp=(\d{1,10})\s*;\s*server=(\d+(?:\.\d+)?)\s*$/.exec(header ?? "");
  if (match === null) {
    return null;
  }
  const anchor = { rtp: Number(match[1]), serverMs: Number(match[2]) };
  return anchor.rtp < 2 ** 32 ? anchor : null;
}

/** Follows one stream's time stamps; they wrap every thirteen hours, so each is read relative to the one before. */
export class CaptureClock {
  #rtp: number;
  #serverMs: number;

  constructor(anchor: CaptureAnchor) {
    this.#rtp = anchor.rtp;
    this.#serverMs = anchor.serverMs;
  }

  /** When the picture with this time stamp was taken, in milliseconds of the server's clock. */
  capturedAtMs(rtp: number): number {
    const ticks = (rtp - this.#rtp) | 0; // the nearer way round the 32-bit circle
    this.#rtp = rtp;
    this.#serverMs += ticks / TICKS_PER_MS;
    return this.#serverMs;
  }
}
