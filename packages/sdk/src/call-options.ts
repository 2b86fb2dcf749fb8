/** How long a call may take, and who may end it. */
import { DeadlineError, toError } from "./errors.ts";

/** The limits of one call. */
export interface CallOptions {
  /** Ends the wait; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds the call may take, reconnecting included; rejects with a `TimeoutError`. Default: no limit. */
  readonly timeoutMs?: number;
}

/** A signal for one call and the way to let go of it; undefined when nothing limits the call. */
interface CallLimit {
  readonly signal: AbortSignal;
  readonly release: () => void;
}

/** Carries out a call within its limits. `work` gets a signal only when there is something to observe. */
export async function withLimits<T>(
  what: string,
  options: CallOptions | undefined,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const limit = limitOf(what, options);
  if (!limit) return work(undefined);
  try {
    limit.signal.throwIfAborted();
    return await work(limit.signal);
  } finally {
    limit.release();
  }
}

function limitOf(what: string, options: CallOptions | undefined): CallLimit | undefined {
  const { signal, timeoutMs } = options ?? {};
  if (timeoutMs === undefined) return signal && { signal, release: () => undefined };
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(
    () => controller.abort(new DeadlineError(`Timeout after ${timeoutMs}ms waiting for ${what}`)),
    timeoutMs,
  );
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    },
  };
}

/** The promise, or the signal's reason, whichever comes first. Leaves no listener behind. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  if (signal.aborted) return Promise.reject(toError(signal.reason));
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(toError(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Resolves after a while, or at once when the signal aborts. Never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
    if (signal?.aborted) done();
  });
}
