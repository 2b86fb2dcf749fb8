import { ModelError, type ModelErrorKind } from "./model-provider.ts";
import { type Redact, toSafeCause } from "./redact.ts";

/** Where a request went, for messages: host and path, never query or credentials. */
export function describeWhere(url: string): string {
  if (!URL.canParse(url)) return "the configured address";
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

/** What a provider said about a failure, read from whichever of the usual shapes it used. */
export interface ProviderErrorBody {
  readonly message?: string;
  readonly code?: string;
  readonly type?: string;
  /** A number in `code`, as some gateways send the status of the provider behind them. */
  readonly status?: number;
}

/** Everything `toStatusError` needs of an HTTP answer that is not a success. */
export interface FailedResponse {
  readonly provider: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

const MAX_MESSAGE_CHARACTERS = 600;

/**
 * Reads `{error:{message,code,type}}` (OpenAI, Anthropic), `{error:"…"}` (Ollama), `[{error}]`
 * (Gemini), `{message}` and `{detail}` (gateways), or plain text. Never throws.
 */
export function parseErrorBody(body: unknown): ProviderErrorBody {
  if (typeof body === "string") return parseErrorText(body);
  if (Array.isArray(body)) return parseErrorBody(body[0]);
  if (typeof body !== "object" || body === null) return {};
  const record = body as Record<string, unknown>;
  if (typeof record["error"] === "object" && record["error"] !== null) return parseErrorBody(record["error"]);
  const { code, type, status } = record;
  return {
    message: [record["message"], record["error"], record["detail"], record["error_description"]].find(isText),
    code: isText(code) ? code : isText(status) ? status : undefined,
    type: isText(type) && type !== "error" ? type : undefined,
    status: typeof code === "number" && code >= 400 && code < 600 ? code : undefined,
  };
}

function parseErrorText(text: string): ProviderErrorBody {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed)) return { message: trimmed.startsWith("<") ? undefined : trimmed || undefined };
  try {
    return parseErrorBody(JSON.parse(trimmed));
  } catch {
    return { message: trimmed };
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

const KIND_BY_CODE: Readonly<Record<string, ModelErrorKind>> = {
  insufficient_quota: "quota",
  billing_hard_limit_reached: "quota",
  billing_not_active: "quota",
  billing_error: "quota",
  quota_exceeded: "quota",
  context_length_exceeded: "context-length",
  model_max_prompt_tokens_exceeded: "context-length",
  exceed_context_size_error: "context-length",
  string_above_max_length: "context-length",
  request_too_large: "context-length",
  rate_limit_exceeded: "rate-limit",
  rate_limit_error: "rate-limit",
  rate_limited: "rate-limit",
  too_many_requests: "rate-limit",
  invalid_api_key: "authentication",
  authentication_error: "authentication",
  permission_error: "authentication",
  model_not_found: "not-found",
  not_found_error: "not-found",
  DeploymentNotFound: "not-found",
  overloaded_error: "server",
  api_error: "server",
  server_error: "server",
  server_is_overloaded: "server",
  timeout_error: "timeout",
  invalid_request_error: "invalid-request",
  invalid_prompt: "invalid-request",
};

/**
 * Providers without a code for it say it in words only: Anthropic ("prompt is too long: 210000 tokens
 * > 200000 maximum"), vLLM ("maximum context length is"), and the credit message of Anthropic, sent
 * as a plain invalid request. Their text is the only signal there is, so it is matched here alone.
 */
const KIND_BY_WORDS: readonly (readonly [RegExp, ModelErrorKind])[] = [
  [/prompt is too long|maximum context length|exceeds? the (?:available )?context|context limit|context window/i, "context-length"],
  [/credit balance is too low/i, "quota"],
];

/** The kind of a failure from status (undefined inside a stream) and what the provider said. */
export function toErrorKind(status: number | undefined, body: ProviderErrorBody): ModelErrorKind {
  const named = KIND_BY_CODE[body.code ?? ""] ?? KIND_BY_CODE[body.type ?? ""];
  const effective = status ?? body.status;
  if (named !== undefined && (named === "quota" || named === "context-length" || effective === undefined)) {
    if (named !== "invalid-request") return named;
  }
  const isRequestFault = effective === undefined || effective === 400 || effective === 422;
  const worded = isRequestFault ? KIND_BY_WORDS.find(([words]) => words.test(body.message ?? ""))?.[1] : undefined;
  if (worded !== undefined) return worded;
  if (effective === undefined) return named ?? "server";
  if (effective === 400 && named === "not-found") return named;
  return kindByStatus(effective);
}

function kindByStatus(status: number): ModelErrorKind {
  if (status === 401 || status === 403) return "authentication";
  if (status === 402) return "quota";
  if (status === 404) return "not-found";
  if (status === 408) return "timeout";
  if (status === 413) return "context-length";
  if (status === 429) return "rate-limit";
  // 409: a lock on the provider's side ran out; 425: too early. Both official libraries retry the first.
  if (status === 409 || status === 425 || status >= 500) return "server";
  return "invalid-request";
}

/** The error for an HTTP answer with a status outside 200–299. */
export function toStatusError(failed: FailedResponse, redact: Redact, nowMs: number = Date.now()): ModelError {
  const body = parseErrorBody(failed.body);
  const kind = toErrorKind(failed.status, body);
  const retryAfterMs = parseRetryAfter(failed.headers, nowMs);
  const said = body.message === undefined ? "" : `: ${clip(redact(body.message))}`;
  const what = `${failed.provider} answered ${failed.status} at ${describeWhere(failed.url)}${said}`;
  return new ModelError(kind, `${endSentence(what)} ${adviceFor(kind, failed.status, retryAfterMs)}`, {
    status: failed.status,
    retryAfterMs,
    requestId: findRequestId(failed.headers),
    errorCode: errorCodeOf(body, redact),
  });
}

/** The error for an error object that came inside a stream, after a status of 200. */
export function toStreamedError(
  error: unknown,
  at: { readonly provider: string; readonly url: string; readonly requestId?: string },
  redact: Redact,
): ModelError {
  const body = parseErrorBody(error);
  const kind = toErrorKind(undefined, body);
  const said = body.message === undefined ? "" : `: ${clip(redact(body.message))}`;
  const what = `${at.provider} reported an error in its stream from ${describeWhere(at.url)}${said}`;
  return new ModelError(kind, `${endSentence(what)} ${adviceFor(kind, body.status, undefined)}`, {
    status: body.status,
    requestId: at.requestId,
    errorCode: errorCodeOf(body, redact),
  });
}

/** Codes of undici for its own limits on silence. */
const TIMEOUT_CODES = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "UND_ERR_CONNECT_TIMEOUT", "ETIMEDOUT"]);

/** The error for a request that got no answer, or whose answer broke off. */
export function toConnectionError(thrown: unknown, at: { readonly provider: string; readonly url: string }, redact: Redact): ModelError {
  const cause = toSafeCause(thrown, redact);
  const code = findCode(cause);
  const kind = code !== undefined && TIMEOUT_CODES.has(code) ? "timeout" : "network";
  const reason = code ?? cause?.message ?? "no reason given";
  const what = `${at.provider}: the connection to ${describeWhere(at.url)} failed (${clip(reason)}).`;
  return new ModelError(kind, `${what} ${adviceFor(kind, undefined, undefined)}`, { cause, errorCode: code });
}

/** The error for a request that could not be made at all: a header that is none, a library that is missing. */
export function toUnsentError(thrown: unknown, at: { readonly provider: string; readonly url: string }, redact: Redact): ModelError {
  const cause = toSafeCause(thrown, redact);
  const what = `${at.provider}: the request to ${describeWhere(at.url)} could not be made (${clip(cause?.message ?? "no reason given")}).`;
  return new ModelError("invalid-request", `${what} Check this provider's base URL, headers and key.`, { cause });
}

/** The error for a credential that could not be had. */
export function toCredentialError(thrown: unknown, provider: string, redact: Redact): ModelError {
  if (thrown instanceof ModelError) return thrown;
  const cause = toSafeCause(thrown, redact);
  return new ModelError("authentication", `${provider}: no credential could be had (${clip(cause?.message ?? "no reason given")}). ${ADVICE.authentication}`, { cause });
}

/** The error for a stream that ended before the provider said that its answer was complete. */
export function toDroppedStreamError(at: { readonly provider: string; readonly url: string; readonly requestId?: string }, missing: string): ModelError {
  const what = `${at.provider}: the stream from ${describeWhere(at.url)} ended before the answer was complete (no ${missing}).`;
  return new ModelError("network", `${what} Try again; if it keeps happening, look for a proxy that cuts long responses.`, {
    requestId: at.requestId,
  });
}

function findCode(error: Error | undefined): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code: unknown = (at as { code?: unknown }).code;
    if (isText(code)) return code;
  }
  return undefined;
}

function errorCodeOf(body: ProviderErrorBody, redact: Redact): string | undefined {
  const code = body.code ?? body.type ?? body.status?.toString();
  return code === undefined ? undefined : clip(redact(code));
}

const ADVICE: Readonly<Record<ModelErrorKind, string>> = {
  "rate-limit": "Try again later, or ask for a higher limit.",
  quota: "The account has no credit or quota left: top it up, or configure another key.",
  authentication: "Check the key or token configured for this provider, and what it may use.",
  "invalid-request": "The provider will not accept this request as it is; change it before trying again.",
  "context-length": "The conversation is too long for this model: compact it, or choose a model with a larger context window.",
  "not-found": "Check the model's name and the provider's base URL.",
  server: "The trouble is on the provider's side; try again later.",
  network: "Check that the address is right and can be reached from here.",
  timeout: "Try again, or allow more time.",
};

function adviceFor(kind: ModelErrorKind, status: number | undefined, retryAfterMs: number | undefined): string {
  if (status !== undefined && status >= 300 && status < 400) return "Redirects are not followed, so that no key goes astray: set the base URL to the final address.";
  if (kind === "rate-limit" && retryAfterMs !== undefined) return `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
  return ADVICE[kind];
}

/**
 * The time to wait that the provider asks for, in milliseconds: `retry-after-ms`, or `retry-after` in
 * seconds or as an HTTP date (RFC 9110, 10.2.3). Undefined when absent or unreadable.
 */
export function parseRetryAfter(headers: Headers, nowMs: number = Date.now()): number | undefined {
  const inMs = parseAmount(headers.get("retry-after-ms"));
  if (inMs !== undefined) return Math.ceil(inMs);
  const value = headers.get("retry-after");
  const seconds = parseAmount(value);
  if (seconds !== undefined) return Math.ceil(seconds * 1000);
  const date = value === null ? Number.NaN : Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function parseAmount(value: string | null): number | undefined {
  return value !== null && /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** Headers that carry a request's id at the providers, the most telling first. */
export const REQUEST_ID_HEADERS = ["x-request-id", "request-id", "x-github-request-id", "apim-request-id"] as const;

export function findRequestId(headers: Headers): string | undefined {
  for (const name of REQUEST_ID_HEADERS) {
    const value = headers.get(name);
    if (value) return value;
  }
  return undefined;
}

/** The request ids among the response headers, for `ModelAnswer.headers`; undefined when there are none. */
export function keepRequestIds(headers: Headers): Record<string, string> | undefined {
  const kept = REQUEST_ID_HEADERS.flatMap((name) => {
    const value = headers.get(name);
    return value ? [[name, value] as const] : [];
  });
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

function clip(text: string): string {
  return text.length > MAX_MESSAGE_CHARACTERS ? `${text.slice(0, MAX_MESSAGE_CHARACTERS)}…` : text;
}

function endSentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
