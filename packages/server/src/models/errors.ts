import { cutText } from "@rightseat/protocol";
import { certificateAdvice } from "./certificate-errors.ts";
import { type ProviderErrorBody, parseErrorBody, toErrorKind } from "./error-kind.ts";
import { ModelError, type ModelErrorKind } from "./model-provider.ts";
import type { Refusal } from "./named-field.ts";
import { type Redact, toSafeCause } from "./redact.ts";
import { findRequestId, parseRetryAfter } from "./response-headers.ts";
import { waitToldIn } from "./retry-wait.ts";

/** Where a request went, for messages: host and path, never query or credentials. */
export function describeWhere(url: string): string {
  if (!URL.canParse(url)) return "the configured address";
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

/** Everything `toStatusError` needs of an HTTP answer that is not a success. */
export interface FailedResponse {
  readonly provider: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

const SAYS_NOTHING =
  /^\W*(?:(?:400 )?bad request|invalid (?:request|argument|input)|(?:an |unknown |provider returned )?error(?: occurred)?|request failed)?\W*$/i;
const MAX_MESSAGE_CHARACTERS = 600;

/** The error for an HTTP answer with a status outside 200–299. */
export function toStatusError(
  failed: FailedResponse,
  redact: Redact,
  nowMs: number = Date.now(),
): ModelError {
  const body = parseErrorBody(failed.body);
  const kind = toErrorKind(failed.status, body);
  const retryAfterMs =
    parseRetryAfter(failed.headers, nowMs) ?? (kind === "rate-limit" ? waitToldIn(failed.body) : undefined);
  const said = body.message === undefined ? "" : `: ${clip(redact(body.message))}`;
  const what = `${failed.provider} answered ${failed.status} at ${describeWhere(failed.url)}${said}`;
  return new ModelError(kind, `${endSentence(what)} ${adviceFor(kind, failed.status, retryAfterMs)}`, {
    status: failed.status,
    retryAfterMs,
    requestId: findRequestId(failed.headers),
    errorCode: errorCodeOf(body, redact),
    ...(kind === "invalid-request" && SAYS_NOTHING.test(body.message ?? "") ? { unexplained: true } : {}),
    ...toRefusal(kind, body, redact),
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
    ...toRefusal(kind, body, redact),
  });
}

const MAX_REFUSAL_CHARACTERS = 4096;

function toRefusal(kind: ModelErrorKind, body: ProviderErrorBody, redact: Redact): { refusal?: Refusal } {
  const isRefusal = kind === "invalid-request" || kind === "server";
  if (!isRefusal || body.message === undefined) return {};
  const said = cutText(redact(body.message), MAX_REFUSAL_CHARACTERS);
  return { refusal: { said, ...(body.parameter !== undefined && { parameter: body.parameter }) } };
}

/** Codes of undici for its own limits on silence. */
const TIMEOUT_CODES = new Set([
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "ETIMEDOUT",
]);

/** The error for a request that got no answer. */
export function toConnectionError(
  thrown: unknown,
  at: { readonly provider: string; readonly url: string },
  redact: Redact,
): ModelError {
  const cause = toSafeCause(thrown, redact);
  const code = findCode(cause);
  const ofCertificate = certificateAdvice(code);
  const kind = ofCertificate ? "invalid-request" : toConnectionKind(code);
  const reason = code ?? cause?.message ?? "no reason given";
  const what = `${at.provider}: the connection to ${describeWhere(at.url)} failed (${clip(reason)}).`;
  const advice = ofCertificate ?? adviceFor(kind, undefined, undefined);
  return new ModelError(kind, `${what} ${advice}`, { cause, errorCode: code });
}

function toConnectionKind(code: string | undefined): ModelErrorKind {
  return code !== undefined && TIMEOUT_CODES.has(code) ? "timeout" : "network";
}

/** The error for an answer that had begun: its address is right, and its connection ended too soon. */
export function toBrokenAnswerError(
  thrown: unknown,
  at: { readonly provider: string; readonly url: string; readonly requestId?: string },
  redact: Redact,
): ModelError {
  const cause = toSafeCause(thrown, redact);
  const code = findCode(cause);
  const reason = code ?? cause?.message ?? "no reason given";
  const what = `${at.provider}: the answer from ${describeWhere(at.url)} broke off (${clip(reason)}).`;
  return new ModelError(
    code !== undefined && TIMEOUT_CODES.has(code) ? "timeout" : "network",
    `${what} ${CUT_ADVICE}`,
    {
      cause,
      errorCode: code,
      requestId: at.requestId,
    },
  );
}

const CUT_ADVICE = "Try again; if it keeps happening, look for a proxy that cuts long responses.";

/** The error for a request that could not be made at all: a header that is none, a library that is missing. */
export function toUnsentError(
  thrown: unknown,
  at: { readonly provider: string; readonly url: string },
  redact: Redact,
): ModelError {
  const cause = toSafeCause(thrown, redact);
  const what = `${at.provider}: the request to ${describeWhere(at.url)} could not be made (${clip(cause?.message ?? "no reason given")}).`;
  return new ModelError("invalid-request", `${what} Check this provider's base URL, headers and key.`, {
    cause,
  });
}

/** The error for a credential that could not be had. */
export function toCredentialError(thrown: unknown, provider: string, redact: Redact): ModelError {
  if (thrown instanceof ModelError) return thrown;
  const cause = toSafeCause(thrown, redact);
  return new ModelError(
    "authentication",
    `${provider}: no credential could be had (${clip(cause?.message ?? "no reason given")}). ${ADVICE.authentication}`,
    { cause },
  );
}

/** The error for a stream that ended before the provider said that its answer was complete. */
export function toDroppedStreamError(
  at: { readonly provider: string; readonly url: string; readonly requestId?: string },
  missing: string,
): ModelError {
  const what = `${at.provider}: the stream from ${describeWhere(at.url)} ended before the answer was complete (no ${missing}).`;
  return new ModelError("network", `${what} ${CUT_ADVICE}`, {
    requestId: at.requestId,
  });
}

function findCode(error: Error | undefined): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code: unknown = (at as { code?: unknown }).code;
    if (typeof code === "string" && code !== "") return code;
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
  "context-length":
    "The conversation is too long for this model: compact it, or choose a model with a larger context window.",
  "not-found": "Check the model's name and the provider's base URL.",
  server: "The trouble is on the provider's side; try again later.",
  network: "Check that the address is right and can be reached from here.",
  timeout: "Try again, or allow more time.",
  "answer-too-large": "Check what answers at this provider's base URL.",
};

function adviceFor(
  kind: ModelErrorKind,
  status: number | undefined,
  retryAfterMs: number | undefined,
): string {
  if (status !== undefined && status >= 300 && status < 400)
    return "Redirects are not followed, so that no key goes astray: set the base URL to the final address.";
  if (kind === "rate-limit" && retryAfterMs !== undefined)
    return `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
  return ADVICE[kind];
}

function clip(text: string): string {
  return text.length > MAX_MESSAGE_CHARACTERS ? `${cutText(text, MAX_MESSAGE_CHARACTERS)}…` : text;
}

function endSentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
