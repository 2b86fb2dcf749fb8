/** Fetches a page: follows redirects that are allowed, and reads the text within bounds of size and time. */
import { guardedRequest, type RequestLimits } from "./guarded-request.ts";
import { type ResponseText, readText } from "./read-text.ts";

const MAX_REDIRECTS = 5;
/** For one answer, body included. */
const TIMEOUT_MS = 30_000;

export interface FetchOptions {
  readonly privateHosts: readonly string[];
  readonly signal: AbortSignal;
  /** Whether a redirect to another host or scheme may be followed. May take its time, and may throw. */
  readonly mayFollow: (to: URL, from: URL) => Promise<boolean>;
  readonly timeoutMs?: number;
  readonly lookUp?: RequestLimits["lookUp"];
  readonly proxies?: RequestLimits["proxies"];
}

export interface Page extends ResponseText {
  /** Where it was found in the end. */
  readonly url: URL;
  readonly status: number;
  readonly statusText: string;
}

/** Undefined when a redirect may not be followed. @throws the signal's reason, and what went wrong. */
export async function fetchPage(start: URL, options: FetchOptions): Promise<Page | undefined> {
  let url = start;
  for (let redirects = 0; ; redirects++) {
    const step = await withTimeout(options, (limits) => fetchOne(url, limits));
    if ("text" in step) return step;
    if (redirects === MAX_REDIRECTS)
      throw new Error(`${start.href} redirects more than ${MAX_REDIRECTS} times.`);
    if (step.next.origin !== url.origin && !(await options.mayFollow(step.next, url))) return undefined;
    url = step.next;
  }
}

async function fetchOne(url: URL, limits: RequestLimits): Promise<Page | { readonly next: URL }> {
  const response = await guardedRequest(url, limits);
  const { statusCode: status = 0, statusMessage: statusText = "" } = response;
  const { location } = response.headers;
  if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) {
    response.destroy();
    return { next: new URL(location, url) };
  }
  try {
    return { url, status, statusText, ...(await readText(response)) };
  } catch (error) {
    response.destroy();
    throw limits.signal.aborted ? limits.signal.reason : error;
  }
}

async function withTimeout<T>(
  { signal, privateHosts, lookUp, proxies, timeoutMs = TIMEOUT_MS }: FetchOptions,
  run: (limits: RequestLimits) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new Error(`The server took longer than ${timeoutMs / 1000} seconds.`)),
    timeoutMs,
  );
  const onAbort = () => limit.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await run({ privateHosts, signal: limit.signal, proxies, ...(lookUp ? { lookUp } : {}) });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
