import { setTimeout } from "node:timers/promises";
import type { ModelError } from "./model-provider.ts";

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly maxAttempts: number;
  /** From the first attempt's start, waits included: no attempt begins later than this. */
  readonly maxTotalMs: number;
  /** Upper bound of the first wait; doubles with each attempt. */
  readonly baseDelayMs: number;
  /** Upper bound of every wait that we choose ourselves. */
  readonly maxDelayMs: number;
  /**
   * The longest wait that a provider may ask for. Beyond it the call fails at once, with the time in
   * the error's message and `retryAfterMs`: an application can tell its user, a silent hour cannot.
   */
  readonly maxRetryAfterMs: number;
}

/** How many remedies (see `ModelError`) one call may need; each is an attempt that does not count. */
export const MOST_REMEDIES = 8;

/** Five attempts within five minutes; a provider may ask for up to a minute. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxAttempts: 5,
  maxTotalMs: 5 * 60_000,
  baseDelayMs: 500,
  maxDelayMs: 20_000,
  maxRetryAfterMs: 60_000,
};

export interface RetryQuestion {
  readonly error: ModelError;
  /** Attempts made so far, from 1. */
  readonly attempt: number;
  /** Since the first attempt began. */
  readonly elapsedMs: number;
  readonly policy: RetryPolicy;
  /** In [0, 1), as `Math.random`. */
  readonly random: () => number;
}

/**
 * How long to wait before the next attempt, in milliseconds; undefined to give up. What the provider
 * asks for is kept to the millisecond; otherwise the wait is exponential with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), so that many sessions
 * that failed together do not come back together.
 */
export function nextRetryDelay({
  error,
  attempt,
  elapsedMs,
  policy,
  random,
}: RetryQuestion): number | undefined {
  if (!error.retryable || attempt >= policy.maxAttempts) return undefined;
  // A provider that asks for no wait at all is not hurried for that.
  const delayMs = error.retryAfterMs || jitteredDelay(attempt, policy, random);
  if (error.retryAfterMs !== undefined && error.retryAfterMs > policy.maxRetryAfterMs) return undefined;
  return elapsedMs + delayMs > policy.maxTotalMs ? undefined : delayMs;
}

function jitteredDelay(attempt: number, policy: RetryPolicy, random: () => number): number {
  const bound = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 1));
  return Math.round(random() * bound);
}

/** Waits. @throws the signal's reason as soon as it aborts; no timer or listener is left behind. */
export async function abortableSleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await setTimeout(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
