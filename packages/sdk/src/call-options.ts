/** How long a call may take, and who may end it. */
import { DeadlineError, toError } from "./errors.ts";
import { after } from "./timer.ts";

/** The limits of one call. */
export interface CallOptions {
  /** Ends the wait. The call rejects with the signal's reason, or with an Error with that text. */
  readonly signal?: AbortSignal;
  /** Milliseconds the call may take, reconnecting included; rejects with a `TimeoutError`. Default, and `Infinity`: no limit. */
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
    if (limit.signal.aborted) throw toError(limit.signal.reason);
    return await work(limit.signal);
  } finally {
    limit.release();
  }
}

/** @throws RangeError for a limit that is no time. */
function limitOf(what: string, options: CallOptions | undefined): CallLimit | undefined {
  const { signal, timeoutMs } = options ?? {};
  if (timeoutMs !== undefined) assertTime("timeoutMs", timeoutMs);
  if (timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY)
    return signal && { signal, release: () => undefined };
  const controller = new AbortController();
  const onAbort = () => controller.abort(toError(signal?.reason));
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const stop = after(timeoutMs, () =>
    controller.abort(new DeadlineError(`Timeout after ${timeoutMs}ms waiting for ${what}`)),
  );
  return {
    signal: controller.signal,
    release: () => {
      stop();
      signal?.removeEventListener("abort", onAbort);
    },
  };
}

/** @throws RangeError for what is no number of milliseconds. */
export function assertTime(name: string, value: unknown): void {
  if (typeof value === "number" && value >= 0) return;
  throw new RangeError(`${name}: expected a number of milliseconds, 0 or more, got ${String(value)}`);
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
      stop();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const stop = after(ms, done);
    signal?.addEventListener("abort", done, { once: true });
    if (signal?.aborted) done();
  });
}
