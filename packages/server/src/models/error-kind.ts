import { isDeeperThan } from "@rightseat/protocol";
import type { ModelErrorKind } from "./model-provider.ts";

/** What a provider said about a failure, read from whichever of the usual shapes it used. */
export interface ProviderErrorBody {
  readonly message?: string;
  readonly code?: string;
  readonly type?: string;
  /** The part of the request that it is about. */
  readonly parameter?: string;
  /** A number in `code`, as some gateways send the status of the provider behind them. */
  readonly status?: number;
}

/**
 * Reads `{error:{message,code,type}}` (OpenAI, Anthropic), `{error:"…"}` (Ollama), `[{error}]`
 * (Gemini), `{message}` and `{detail}` (gateways), `{Message}` (AWS), `{detail:[{loc,msg}]}` (FastAPI),
 * `{error:{metadata:{raw}}}` (OpenRouter, whose own message says only that there was one), `{base_resp}`
 * (MiniMax), plain text, and the title of a web page. Never throws.
 */
export function parseErrorBody(body: unknown): ProviderErrorBody {
  if (typeof body === "string") return parseErrorText(body);
  if (Array.isArray(body)) return parseErrorBody(body[0]);
  if (typeof body !== "object" || body === null) return {};
  const record = body as Record<string, unknown>;
  if (typeof record["error"] === "object" && record["error"] !== null) return parseErrorBody(record["error"]);
  const { code, type, status, base_resp, param } = record;
  const behind = messageBehind(record["metadata"]);
  const own =
    MESSAGE_FIELDS.map((field) => toMessage(record[field])).find(isText) ?? minimaxMessage(base_resp);
  return {
    message: behind === undefined || own === behind ? own : [own, behind].filter(isText).join(": "),
    code: isText(code) ? code : isText(status) ? status : undefined,
    type: isText(type) && type !== "error" ? type : undefined,
    parameter: isText(param) ? param : undefined,
    status: typeof code === "number" && code >= 400 && code < 600 ? code : undefined,
  };
}

function parseErrorText(text: string): ProviderErrorBody {
  const trimmed = text.trim();
  if (trimmed.startsWith("<")) return { message: titleOf(trimmed) };
  if (!/^[[{]/.test(trimmed)) return { message: trimmed || undefined };
  try {
    return isDeeperThan(trimmed) ? {} : parseErrorBody(JSON.parse(trimmed));
  } catch {
    return { message: trimmed };
  }
}

const MESSAGE_FIELDS = [
  "message",
  "error",
  "detail",
  "error_description",
  "Message",
  "msg",
  "error_msg",
  "errorMessage",
  "errors",
  "reason",
] as const;

/** A text; or of a list what each member says, and where. */
function toMessage(value: unknown): string | undefined {
  if (isText(value)) return value;
  if (Array.isArray(value))
    return value.slice(0, MOST_MEMBERS).map(toMember).filter(isText).join("; ") || undefined;
  if (typeof value !== "object" || value === null) return undefined;
  return toMember(value) ?? toMessage((value as { detail?: unknown }).detail);
}

const MOST_MEMBERS = 5;

function toMember(member: unknown): string | undefined {
  if (isText(member)) return member;
  if (typeof member !== "object" || member === null) return undefined;
  const { loc, msg, message } = member as { loc?: unknown; msg?: unknown; message?: unknown };
  const said = [msg, message].find(isText);
  return said !== undefined && Array.isArray(loc) ? `${loc.join(".")}: ${said}` : said;
}

/** MiniMax says it beside the answer, where all is well with an empty text. */
function minimaxMessage(said: unknown): string | undefined {
  const text = typeof said === "object" && said !== null ? (said as { status_msg?: unknown }).status_msg : "";
  return isText(text) && text !== "success" ? text : undefined;
}

/** What the provider behind a gateway said. */
function messageBehind(metadata: unknown): string | undefined {
  if (typeof metadata !== "object" || metadata === null) return undefined;
  const { raw, provider_name } = metadata as { raw?: unknown; provider_name?: unknown };
  const said = typeof raw === "string" || typeof raw === "object" ? parseErrorBody(raw).message : undefined;
  return said !== undefined && isText(provider_name) ? `${provider_name}: ${said}` : said;
}

/** The title of the page that a proxy answers with. */
function titleOf(page: string): string | undefined {
  const title =
    /<title[^>]*>([^<]{1,300})/i.exec(page.slice(0, 8192))?.[1] ??
    /<h1[^>]*>([^<]{1,300})/i.exec(page.slice(0, 8192))?.[1];
  return title?.replace(/\s+/g, " ").trim() || undefined;
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
  RESOURCE_EXHAUSTED: "rate-limit",
  ThrottlingException: "rate-limit",
  TooManyRequestsException: "rate-limit",
  ServiceUnavailableException: "server",
  ModelTimeoutException: "timeout",
  AccessDeniedException: "authentication",
  UNAUTHENTICATED: "authentication",
  PERMISSION_DENIED: "authentication",
  tokens_limit_reached: "context-length",
  "1261": "context-length",
  invalid_request_error: "invalid-request",
  invalid_prompt: "invalid-request",
};

/**
 * Providers without a code for it say it in words only; the credit message of Anthropic is sent as a plain
 * invalid request, too. Their text is the only signal there is, so it is matched here alone. The tests say which
 * provider uses which words.
 */
const KIND_BY_WORDS: readonly (readonly [RegExp, ModelErrorKind])[] = [
  [
    new RegExp(
      [
        "(?:prompt|input|conversation|message) (?:\\(\\d+ tokens\\) )?(?:is )?too long",
        "exceed max message tokens",
        "(?:maximum|max|model's) (?:context|prompt|input|sequence) (?:length|size|tokens)",
        "exceed(?:s|ed)?(?: the)?(?: available)?(?: max(?:imum)?)?(?: model)? (?:context|token limit|number of tokens|input (?:length|tokens))",
        "exceed(?:s|ed)? (?:the )?max(?:imum)? (?:length|number of (?:input )?tokens)",
        "context (?:limit|window|length|size)",
        "(?:token|input|prompt)(?: token)? (?:count|length).{0,40}exceeds",
        "range of input length",
        "inputs?`? (?:tokens )?(?:\\+ `max_new_tokens` )?must (?:be <=|have less than)",
        "longer than the (?:model's )?(?:maximum )?(?:context|model length)",
        "reduce the length of the (?:messages|prompt|input)",
        "when (?:the )?context (?:the )?overflows",
        "too many (?:input )?tokens",
        "too large for model",
      ].join("|"),
      "i",
    ),
    "context-length",
  ],
  [/credit balance is too low|insufficient (?:balance|credits|funds)/i, "quota"],
];

const RATE = /tokens per (?:minute|day)|\bTP[MD]\b|rate limit/i;

/** The kind of a failure from status (undefined inside a stream) and what the provider said. */
export function toErrorKind(status: number | undefined, body: ProviderErrorBody): ModelErrorKind {
  const named = KIND_BY_CODE[body.code ?? ""] ?? KIND_BY_CODE[body.type ?? ""];
  const effective = status ?? body.status;
  if (named !== undefined && (named === "quota" || named === "context-length" || effective === undefined)) {
    if (named !== "invalid-request") return named;
  }
  // A rate that no longer request would keep to; the code says so.
  if (effective === 413 && (named === "rate-limit" || RATE.test(body.message ?? ""))) return "rate-limit";
  // Servers of local models say so with a 500.
  const isRequestFault = effective === undefined || [400, 413, 422, 500].includes(effective);
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
  // 498: Groq has no room for the call at the moment.
  if (status === 409 || status === 425 || status === 498 || status >= 500) return "server";
  return "invalid-request";
}
