/**
 * The seam to language models: a request and an abort signal in, a stream of model events out.
 * Each implementation has a folder (`openai-chat/`, `openai-responses/`, `azure/`, `anthropic/`,
 * `copilot/`, `demo/`), each with `request.ts`, `stream.ts` and `errors.ts` where it needs them. The agent loop
 * knows this file and nothing behind it.
 */
import type { Refusal } from "./named-field.ts";
import type { ProviderSource } from "./provider-source.ts";

export interface ModelTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments; an object schema. */
  readonly parameters: Record<string, unknown>;
}

export interface ModelToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text as the model wrote it; may be invalid JSON. */
  readonly arguments: string;
  /** Data that Gemini sends with a call and wants back: `extra_content`, with a thought signature. */
  readonly extra?: unknown;
}

export type ModelContentPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly mimeType: string; readonly base64: string }
  | { readonly type: "document"; readonly mimeType: string; readonly base64: string; readonly name: string };

/** Data that a provider needs again with the next request of the session; other providers ignore it. */
export interface ModelReasoning {
  readonly text?: string;
  /** Anthropic's signature of a thinking block, or a redacted block's data. */
  readonly opaque?: string;
  /** The encrypted reasoning of OpenAI's Responses API. */
  readonly encrypted?: string;
  readonly id?: string;
  /** OpenRouter's `reasoning_details`, in order. */
  readonly details?: readonly unknown[];
  /** Chat Completions: the field that the text came in. */
  readonly wireField?: string;
  /** The provider and model that it came from; no other is sent it. Undefined when that is not known. */
  readonly origin?: string;
}

/** An image that a tool gave back. */
export interface ToolImage {
  readonly mimeType: string;
  readonly base64: string;
  /** A description for models that get images apart from the results that they belong to. */
  readonly description?: string;
}

export type ModelMessage =
  | {
      readonly role: "user";
      readonly content: string | readonly ModelContentPart[];
      /** What the user wrote, where that is not the content; empty for what no user wrote. Not for providers. */
      readonly prompt?: string;
    }
  | {
      readonly role: "assistant";
      readonly content: string;
      readonly toolCalls: readonly ModelToolCall[];
      readonly reasoning?: ModelReasoning;
    }
  | {
      readonly role: "tool";
      readonly toolCallId: string;
      readonly content: string;
      readonly images?: readonly ToolImage[];
      readonly isError?: boolean;
    };

/** The format of an answer, in the wire's own shape. Neither the schema nor the answer is checked. */
export interface ResponseFormat {
  readonly type: "json_schema";
  readonly jsonSchema: {
    readonly name: string;
    readonly schema: unknown;
    /** OpenAI's wires only, as `strict`. */
    readonly description?: string;
    readonly strict?: boolean;
  };
}

export interface ModelRequest {
  /** The model's id as the provider spells it. */
  readonly model: string;
  /** The system message; empty for none. */
  readonly system: string;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ModelTool[];
  /** False asks for the whole answer in one piece; the events are the same, only fewer. */
  readonly stream: boolean;
  readonly maxOutputTokens?: number;
  /** Provider's own scale ("low", "medium", "high", …). */
  readonly reasoningEffort?: string;
  readonly reasoningSummary?: string;
  /** The value of the header `user-agent`, unless other headers set it. */
  readonly userAgent?: string;
  /** The user's message was written by another agent. */
  readonly isAgentInitiated?: boolean;
  /** The answer shall cite the passages of documents that it rests on, if the provider can do that. */
  readonly citations?: boolean;
  /** The answer shall be JSON of this schema, if the provider can do that. */
  readonly responseFormat?: ResponseFormat;
  /** Extra HTTP headers of this one request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Tokens as the provider counted them. `input` includes what was read from or written to its cache. */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens?: number;
  /** The cost of the call in billionths of an AI credit; only GitHub's API tells it. */
  readonly nanoAiu?: number;
}

/** The whole answer; ends every stream that did not fail. */
export interface ModelAnswer {
  readonly content: string;
  readonly toolCalls: readonly ModelToolCall[];
  readonly reasoning?: ModelReasoning;
  readonly citations?: ModelCitations;
  readonly finishReason: "stop" | "tool-calls" | "length" | "content-filter" | "other";
  /** Undefined when the provider reported none. */
  readonly usage?: ModelUsage;
  /** The model that answered, as the provider names it. */
  readonly model?: string;
  /** The provider's id of the answer, for its support. */
  readonly responseId?: string;
  /** Response headers worth keeping, lower-case names (request ids). */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The sources of an answer, in the wire's own shape. */
export interface ModelCitations {
  readonly sources: readonly CitationSource[];
  /** Places in the answer's content, in UTF-16 code units, the end exclusive. */
  readonly spans: readonly {
    readonly startIndex: number;
    readonly endIndex: number;
    readonly references: readonly CitationReference[];
  }[];
}

export interface CitationSource {
  /** Within the answer. */
  readonly id: string;
  readonly provider: "anthropic" | "openai" | "client";
  readonly title?: string;
  readonly url?: string;
}

export interface CitationReference {
  readonly sourceId: string;
  readonly citedText?: string;
  /** Ends are exclusive, except for pages. */
  readonly location?:
    | { readonly type: "char"; readonly startIndex: number; readonly endIndex: number }
    | { readonly type: "page"; readonly startPage: number; readonly endPage: number }
    | { readonly type: "block"; readonly startBlock: number; readonly endBlock: number };
  readonly providerMetadata?: Readonly<Record<string, unknown>>;
}

export type ModelEvent =
  | { readonly type: "text"; readonly delta: string }
  | { readonly type: "reasoning"; readonly delta: string }
  | {
      readonly type: "tool-call";
      readonly index: number;
      readonly id?: string;
      readonly name?: string;
      readonly delta: string;
    }
  | { readonly type: "answer"; readonly answer: ModelAnswer };

export type ModelErrorKind =
  | "rate-limit" // 429: try again later
  | "quota" // no credit left; trying again does not help
  | "authentication" // 401, 403, no credentials
  | "invalid-request" // 4xx: this request will never do
  | "context-length" // the conversation is too long for the model
  | "not-found" // no such model or route
  | "server" // 5xx, 529
  | "network" // no connection, or the stream broke off
  | "timeout"
  | "answer-too-large"; // past a cap of ours; the same would come again

/** Every failure of a provider. The message never holds a credential. */
export class ModelError extends Error {
  readonly kind: ModelErrorKind;
  readonly status?: number;
  /** From Retry-After (seconds or HTTP date) or retry-after-ms. */
  readonly retryAfterMs?: number;
  /** The provider's request id where it sent one. */
  readonly requestId?: string;
  readonly errorCode?: string;
  /** The provider refused the request and did not say why. */
  readonly unexplained?: boolean;
  /** The provider's text about a request that it refused. */
  readonly refusal?: Refusal;
  /** The same request, made again at once, goes out in another form. This text says how, for a warning. */
  readonly remedy?: string;
  /** The refused part of the request that is not left out, because the application asked for it. */
  readonly refusedField?: string;
  constructor(
    kind: ModelErrorKind,
    message: string,
    details: {
      status?: number;
      retryAfterMs?: number;
      requestId?: string;
      errorCode?: string;
      unexplained?: boolean;
      refusal?: Refusal;
      remedy?: string;
      refusedField?: string;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = "ModelError";
    this.kind = kind;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.requestId = details.requestId;
    this.errorCode = details.errorCode;
    this.unexplained = details.unexplained;
    this.refusal = details.refusal;
    this.remedy = details.remedy;
    this.refusedField = details.refusedField;
  }
  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return (
      this.kind === "rate-limit" ||
      this.kind === "server" ||
      this.kind === "network" ||
      this.kind === "timeout"
    );
  }
}

export interface ModelProvider {
  /** For messages and usage events: "openai", "azure", "anthropic", "copilot", "demo". */
  readonly name: string;
  /**
   * One model call. Yields deltas as they come, then exactly one `answer`. Does not retry: the agent
   * loop does, since only it knows what a client has seen already. After the signal aborts, the HTTP
   * stream is closed and the iterator ends by throwing the signal's reason.
   * @throws ModelError for every other failure.
   */
  generate(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  /** The models that the provider offers, where it can tell. */
  listModels?(signal: AbortSignal): Promise<readonly ModelListing[]>;
}

export interface ModelListing {
  readonly id: string;
  readonly name: string;
  readonly contextWindowTokens?: number;
  readonly maxOutputTokens?: number;
  readonly maxPromptTokens?: number;
  readonly supportsVision?: boolean;
  readonly supportsReasoningEffort?: boolean;
  /** The provider's own record, passed on to clients where it has the wire's shape already. */
  readonly raw?: unknown;
}

/** `fetch`, so that a session can route model traffic elsewhere (a client's request handler, a proxy). */
export type Fetch = typeof globalThis.fetch;

/** How to reach a provider. Secrets in here are never logged, stored or put in a message. */
export interface ProviderSettings {
  readonly type: "openai" | "azure" | "anthropic";
  /** The address without a query, except Azure's. */
  readonly baseUrl: string;
  /** The query of every request. */
  readonly query?: Readonly<Record<string, string>>;
  /** OpenAI types only; default "completions". */
  readonly wireApi?: "completions" | "responses";
  /** Asked before each request; undefined for a provider that needs none (Ollama). */
  readonly credential?: () => Promise<
    { readonly kind: "api-key" | "bearer"; readonly value: string } | undefined
  >;
  /** Azure: undefined selects the v1 route. */
  readonly azureApiVersion?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch?: Fetch;
  /** No byte for this long ends the request as `timeout`; default 10 minutes. */
  readonly idleTimeoutMs?: number;
  /** The source of these settings, under which facts about a provider are remembered. */
  readonly source?: ProviderSource;
}
