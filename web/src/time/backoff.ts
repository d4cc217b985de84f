// Exponential backoff with jitter.

export interface BackoffOptions {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

/** A server that restarts is back within a second or two; a network that is gone may take much longer. */
export const RECONNECT_BACKOFF: BackoffOptions = { firstMs: 250, factor: 1.8, maxMs: 8000 };

/**
 * The wait in milliseconds before attempt number `attempt` (0 is the first after a failure).
 *
 * `random` in [0, 1) shortens it by up to half, so that pages that were cut off together do not all return at once.
 */
export function backoffMs(
  attempt: number,
  random: number,
  options: BackoffOptions = RECONNECT_BACKOFF,
): number {
  const fullMs = Math.min(options.maxMs, options.firstMs * options.factor ** attempt);
  return fullMs * (1 - random / 2);
}
