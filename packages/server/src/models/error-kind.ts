import { isDeeperThan } from "@rightseat/protocol";
import type { ModelErrorKind } from "./model-provider.ts";

/** What a provider said about a failure, read from whichever of the usual shapes it used. */
export interface ProviderErrorBody {
  readonly message?: string;
  readonly code?: string;
  readonly type?: string;
  /** A number in `code`, as some gateways send the status of the provider behind them. */
  readonly status?: number;
}

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
    return isDeeperThan(trimmed) ? {} : parseErrorBody(JSON.parse(trimmed));
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
  [
    /prompt is too long|maximum context length|exceeds? the (?:available )?context|context limit|context window/i,
    "context-length",
  ],
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
  const worded = isRequestFault
    ? KIND_BY_WORDS.find(([words]) => words.test(body.message ?? ""))?.[1]
    : undefined;
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
