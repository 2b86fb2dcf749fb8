/** How long to wait before the next attempt, so that a thousand clients do not come back at once. */

export interface BackoffOptions {
  /** Upper bound of the first wait, in milliseconds; each further one is twice as long. */
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
}

/** Between nothing and the bound, evenly ("full jitter"). `attempt` counts from 0. */
export function backoffMs(
  attempt: number,
  { initialDelayMs, maxDelayMs }: BackoffOptions,
  random: () => number = Math.random,
): number {
  return random() * Math.min(maxDelayMs, initialDelayMs * 2 ** Math.min(attempt, 30));
}
