// How long to wait before trying again: soon at first, then ever longer, never in step with other pages.

export interface BackoffOptions {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

/** A server that restarts is back in a second or two; a network that is gone deserves patience. */
export const RECONNECT: BackoffOptions = { firstMs: 250, factor: 1.8, maxMs: 8000 };

/**
 * The wait in milliseconds before attempt number `attempt` (0 is the first after a failure).
 *
 * `random` in [0, 1) takes up to half of the wait away, so that pages cut off together do not come back together.
 */
export function backoffMs(attempt: number, random: number, options: BackoffOptions = RECONNECT): number {
  const whole = Math.min(options.maxMs, options.firstMs * options.factor ** attempt);
  return whole * (1 - random / 2);
}
