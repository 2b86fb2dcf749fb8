import { parseSpanMs } from "./retry-wait.ts";

/**
 * The time to wait that the provider asks for, in milliseconds: `retry-after-ms`, or `retry-after` in
 * seconds, as an HTTP date (RFC 9110, 10.2.3) or with units (`20s`). Undefined when absent or unreadable.
 */
export function parseRetryAfter(
  headers: Pick<Headers, "get">,
  nowMs: number = Date.now(),
): number | undefined {
  const inMs = parseAmount(headers.get("retry-after-ms"));
  if (inMs !== undefined) return Math.ceil(inMs);
  const value = headers.get("retry-after");
  const seconds = parseAmount(value);
  if (seconds !== undefined) return Math.ceil(seconds * 1000);
  const spanMs = value === null ? undefined : parseSpanMs(value.trim());
  if (spanMs !== undefined) return spanMs;
  // Numbers that are none (`-5`) are dates of some year to `Date.parse`.
  const date = value !== null && /[a-z]{3}/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function parseAmount(value: string | null): number | undefined {
  return value !== null && /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** Headers that carry a request's id at the providers, the most telling first. */
export const REQUEST_ID_HEADERS = [
  "x-request-id",
  "request-id",
  "x-github-request-id",
  "apim-request-id",
] as const;

export function findRequestId(headers: Pick<Headers, "get">): string | undefined {
  for (const name of REQUEST_ID_HEADERS) {
    const value = headers.get(name);
    if (value) return value;
  }
  return undefined;
}

/** The request ids among the response headers, for `ModelAnswer.headers`; undefined when there are none. */
export function keepRequestIds(headers: Pick<Headers, "get">): Record<string, string> | undefined {
  const kept = REQUEST_ID_HEADERS.flatMap((name) => {
    const value = headers.get(name);
    return value ? [[name, value] as const] : [];
  });
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}
