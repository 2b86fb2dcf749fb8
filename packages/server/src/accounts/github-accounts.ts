/**
 * Whose token this is: login, plan and Copilot address of a GitHub token, asked of GitHub once and
 * kept for a while. Tokens are known here by their SHA-256 only, and never put in a message.
 */
import { createHash } from "node:crypto";

export interface GitHubAccount {
  readonly login: string;
  /** Copilot plan as GitHub names it ("individual_pro", "business", …). */
  readonly plan?: string;
  /** Where this account's model requests go. */
  readonly copilotApiUrl?: string;
  /** Address for people, such as `https://github.com`. */
  readonly host: string;
  readonly analyticsId?: string;
  /** GitHub's answer, for what clients ask in GitHub's own shape. From `/user` when there is no Copilot record. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** "rejected": GitHub refuses this token. "unavailable": nobody could tell; the same call may succeed later. */
export type AccountErrorKind = "rejected" | "unavailable";

export class AccountError extends Error {
  readonly kind: AccountErrorKind;
  /** GitHub's HTTP status, where it answered. */
  readonly status?: number;
  constructor(kind: AccountErrorKind, message: string, details: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: details.cause });
    this.name = "AccountError";
    this.kind = kind;
    this.status = details.status;
  }
}

export interface GitHubAccounts {
  /**
   * Callers with the same token share one request; an abort ends the caller's wait, and the request with the last of them.
   * @throws AccountError, or the signal's reason.
   */
  resolve(token: string, signal?: AbortSignal): Promise<GitHubAccount>;
  /** Asks again next time. */
  forget(token: string): void;
}

export interface GitHubAccountsOptions {
  /** REST address: `https://api.github.com`, `https://api.<name>.ghe.com`, `https://<host>/api/v3`. */
  readonly apiUrl: string;
  readonly fetch?: typeof globalThis.fetch;
  /** How long an answer is good for; default 10 minutes. Refusals are kept for a tenth of it. */
  readonly cacheMs?: number;
  readonly now?: () => number;
}

const DEFAULT_CACHE_MS = 10 * 60_000;
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_ENTRIES = 1000;
const MAX_ANSWER_BYTES = 1024 * 1024;

type Outcome = { readonly account: GitHubAccount } | { readonly error: AccountError };

interface Flight {
  readonly outcome: Promise<Outcome>;
  readonly stop: AbortController;
  waiting: number;
}

export function createGitHubAccounts(options: GitHubAccountsOptions): GitHubAccounts {
  const cacheMs = options.cacheMs ?? DEFAULT_CACHE_MS;
  const now = options.now ?? Date.now;
  // Insertion order is order of use: the first entry is the one unused for longest.
  const known = new Map<string, { readonly outcome: Outcome; readonly until: number }>();
  const flights = new Map<string, Flight>();

  const recall = (key: string): Outcome | undefined => {
    const entry = known.get(key);
    known.delete(key);
    if (entry === undefined || entry.until <= now()) return undefined;
    known.set(key, entry);
    return entry.outcome;
  };

  const remember = (key: string, outcome: Outcome): void => {
    if ("error" in outcome && outcome.error.kind !== "rejected") return;
    known.delete(key);
    known.set(key, { outcome, until: now() + ("error" in outcome ? cacheMs / 10 : cacheMs) });
    const oldest = known.keys().next();
    if (known.size > MAX_ENTRIES && oldest.done !== true) known.delete(oldest.value);
  };

  const startFlight = (key: string, token: string): Flight => {
    const stop = new AbortController();
    const outcome = ask(
      options,
      token,
      AbortSignal.any([stop.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    ).then((result) => {
      // A flight that was given up or forgotten says nothing about the token.
      if (flights.get(key)?.stop === stop) {
        flights.delete(key);
        remember(key, result);
      }
      return result;
    });
    const flight = { outcome, stop, waiting: 0 };
    flights.set(key, flight);
    return flight;
  };

  return {
    async resolve(token, signal) {
      signal?.throwIfAborted();
      const key = createHash("sha256").update(token).digest("base64");
      const outcome = recall(key) ?? (await join(flights.get(key) ?? startFlight(key, token), key));
      if ("error" in outcome) throw outcome.error;
      return outcome.account;

      async function join(flight: Flight, key: string): Promise<Outcome> {
        flight.waiting++;
        try {
          return await unlessAborted(flight.outcome, signal);
        } finally {
          flight.waiting--;
          if (flight.waiting === 0 && flights.get(key) === flight) {
            flights.delete(key);
            flight.stop.abort();
          }
        }
      }
    },
    forget(token) {
      const key = createHash("sha256").update(token).digest("base64");
      known.delete(key);
      flights.delete(key);
    },
  };
}

/** Never rejects. */
async function ask(options: GitHubAccountsOptions, token: string, signal: AbortSignal): Promise<Outcome> {
  try {
    const base = options.apiUrl.replace(/\/+$/, "");
    let answer = await get(options, `${base}/copilot_internal/user`, token, signal);
    if (answer.status === 404) answer = await get(options, `${base}/user`, token, signal);
    return { account: toAccount(options.apiUrl, answer.body) };
  } catch (thrown) {
    if (thrown instanceof AccountError) return { error: thrown };
    return {
      error: new AccountError(
        "unavailable",
        `GitHub could not be asked about the token: ${reasonOf(thrown)}. Check that ${hostOf(options.apiUrl)} can be reached, then try again.`,
      ),
    };
  }
}

/** Answers with 2xx, or with 404 for the caller to judge. @throws AccountError for every other status. */
async function get(
  options: GitHubAccountsOptions,
  url: string,
  token: string,
  signal: AbortSignal,
): Promise<{ status: number; body: unknown }> {
  const fetch = options.fetch ?? globalThis.fetch;
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}`, accept: "application/json", "user-agent": "rightseat" },
    // Followed, the token would go wherever the answer points.
    redirect: "manual",
    signal,
  });
  const { status } = response;
  if (response.ok) return { status, body: JSON.parse(await readBounded(response)) };
  await response.body?.cancel();
  if (status === 404 && url.endsWith("/copilot_internal/user")) return { status, body: undefined };
  if (status === 401)
    throw rejected(
      "401 Unauthorized",
      status,
      "It may have expired or been revoked: sign in again, or give another token.",
    );
  // GitHub's rate limits answer 403 too; those say nothing about the token.
  if (
    status === 403 &&
    response.headers.get("retry-after") === null &&
    response.headers.get("x-ratelimit-remaining") !== "0"
  ) {
    throw rejected(
      "403 Forbidden",
      status,
      "Check that the account may use Copilot and that the token has the scope for it.",
    );
  }
  const answered = `GitHub answered ${status}${response.statusText ? ` ${response.statusText}` : ""} when asked about the token. `;
  throw new AccountError("unavailable", `${answered}Try again later.`, { status });
}

function rejected(statusLine: string, status: number, advice: string): AccountError {
  return new AccountError("rejected", `GitHub rejected the token: ${statusLine}. ${advice}`, { status });
}

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function toAccount(apiUrl: string, body: unknown): GitHubAccount {
  const raw = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const login = textOf(raw.login);
  if (login === undefined) throw new Error("the answer names no login");
  const endpoints = (
    typeof raw.endpoints === "object" && raw.endpoints !== null ? raw.endpoints : {}
  ) as Record<string, unknown>;
  return {
    login,
    plan: textOf(raw.copilot_plan),
    copilotApiUrl: textOf(endpoints.api),
    host: hostOf(apiUrl),
    analyticsId: textOf(raw.analytics_tracking_id),
    raw,
  };
}

/** The address for people that belongs to a REST address. An API on this very machine stands for github.com's. */
export function hostOf(apiUrl: string): string {
  const url = new URL(apiUrl);
  const isLocal = url.hostname === "localhost" || url.hostname === "[::1]" || url.hostname.startsWith("127.");
  return isLocal ? "https://github.com" : `${url.protocol}//${url.host.replace(/^api\./, "")}`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.length > 0 ? value : undefined;
}

/** Codes and names only: messages of `fetch` may quote a header. */
function reasonOf(thrown: unknown): string {
  for (let at: unknown = thrown; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === "string") return code;
    if (at.name === "TimeoutError") return `no answer in ${REQUEST_TIMEOUT_MS / 1000} s`;
    if (at instanceof SyntaxError) return "its answer is not JSON";
    if (at.name === "Error") return at.message;
  }
  return "the connection failed";
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
