import { nanoAiuOf } from "../copilot-cost.ts";
import type { ModelCall } from "../model-call.ts";
import type { ModelAnswer, ModelEvent, ModelReasoning, ModelUsage } from "../model-provider.ts";
import { type AnswerReader, parseEventData } from "../run-call.ts";
import { toTokenCount } from "../token-count.ts";
import { ToolCallParts } from "../tool-call-parts.ts";
import { ReasoningDetails } from "./reasoning-details.ts";
import type { ChatChunk, ChatContentPart, ChatDelta, ChatToolCallDelta, ChatUsage } from "./wire.ts";

/**
 * Reads Chat Completions, streamed or whole. The stream is complete once a `finish_reason` came, or `[DONE]`; usage
 * may be in the last chunk, a chunk of its own after it, or every chunk (the last one counts).
 */
export class ChatAnswerReader implements AnswerReader {
  done = false;
  readonly #call: ModelCall;
  readonly #text: string[] = [];
  readonly #reasoning: string[] = [];
  readonly #toolCalls = new ToolCallParts();
  /** The wire's index of each call, in our order. */
  readonly #wireIndexes: number[] = [];
  readonly #wireIds: string[] = [];
  #reasoningOpaque: string | undefined;
  #reasoningField: string | undefined;
  #reasoningDetails: ReasoningDetails | undefined;
  /** What Gemini puts beside calls, by our index. */
  #extras: Map<number, unknown> | undefined;
  #finishReason: string | undefined;
  #usage: ModelUsage | undefined;
  #nanoAiu: number | undefined;
  #model: string | undefined;
  #responseId: string | undefined;

  constructor(call: ModelCall) {
    this.#call = call;
  }

  get whole(): boolean {
    return this.#finishReason !== undefined;
  }

  push(data: string, out: ModelEvent[]): void {
    if (data === "[DONE]") {
      this.done = true;
      return;
    }
    this.#pushChunk(parseEventData(this.#call, data) as ChatChunk, out);
  }

  pushWhole(body: unknown, out: ModelEvent[]): void {
    const chunk = (body ?? {}) as ChatChunk;
    this.#pushChunk(chunk, out);
    this.done = toList(chunk.choices).length > 0;
  }

  #pushChunk(chunk: ChatChunk, out: ModelEvent[]): void {
    if (chunk.error !== undefined && chunk.error !== null) throw this.#call.streamedError(chunk);
    if (chunk.model) this.#model = chunk.model;
    if (chunk.id) this.#responseId = chunk.id;
    if (chunk.usage) this.#usage = toChatUsage(chunk.usage);
    if (chunk.copilot_usage) this.#nanoAiu = nanoAiuOf(chunk);
    for (const choice of toList(chunk.choices)) {
      if (choice.error !== undefined && choice.error !== null) throw this.#call.streamedError(choice);
      const delta = choice.delta ?? choice.message;
      if (delta) this.#pushDelta(delta, out);
      if (choice.finish_reason) this.#finishReason = choice.finish_reason;
    }
  }

  #pushDelta(delta: ChatDelta, out: ModelEvent[]): void {
    const reasoning = delta.reasoning_content ?? delta.reasoning_text ?? delta.reasoning;
    if (typeof reasoning === "string" && reasoning !== "") {
      this.#reasoning.push(reasoning);
      this.#reasoningField ??= typeof delta.reasoning_content === "string" ? "reasoning_content" : undefined;
      out.push({ type: "reasoning", delta: reasoning });
    }
    if (delta.reasoning_details)
      (this.#reasoningDetails ??= new ReasoningDetails()).push(delta.reasoning_details);
    if (delta.reasoning_opaque) this.#reasoningOpaque = delta.reasoning_opaque;
    // A refusal is the model's answer in words; applications see it as such.
    const text = delta.content || delta.refusal;
    if (typeof text === "string") this.#pushText(text, out);
    else if (Array.isArray(text)) this.#pushParts(text, out);
    if (delta.tool_calls) for (const part of toList(delta.tool_calls)) this.#pushToolCall(part, out);
  }

  #pushText(text: string, out: ModelEvent[]): void {
    if (text === "") return;
    this.#text.push(text);
    out.push({ type: "text", delta: text });
  }

  #pushParts(parts: readonly ChatContentPart[], out: ModelEvent[]): void {
    for (const part of toList(parts)) {
      if (part.type === "thinking") this.#pushReasoning(toText(part.thinking), out);
      else this.#pushText(toText(part.text), out);
    }
  }

  #pushReasoning(text: string, out: ModelEvent[]): void {
    if (text === "") return;
    this.#reasoning.push(text);
    out.push({ type: "reasoning", delta: text });
  }

  #pushToolCall(part: ChatToolCallDelta, out: ModelEvent[]): void {
    const name = part.function?.name ?? "";
    const given = part.function?.arguments;
    // Some servers send the arguments as an object although the wire has them as text.
    const delta =
      typeof given === "string" ? given : given === undefined || given === null ? "" : JSON.stringify(given);
    const known = this.#findToolCall(part, name, delta);
    if (known === undefined) {
      this.#wireIndexes.push(part.index ?? -1);
      this.#wireIds.push(part.id ?? "");
      const begun = this.#toolCalls.begin({ id: part.id, name, arguments: delta }, out);
      this.#keepExtra(begun, part);
      return;
    }
    this.#keepExtra(known, part);
    this.#toolCalls.setName(known, name, out);
    this.#toolCalls.append(known, delta, out);
  }

  #keepExtra(index: number, { extra_content }: ChatToolCallDelta): void {
    if (extra_content) (this.#extras ??= new Map()).set(index, extra_content);
  }

  /**
   * Our index of the call that a piece belongs to; undefined for a new one. A new id together with a
   * name begins a call even under a used index: some servers number every parallel call 0, others
   * send a fresh id, but no name, with each piece of one call.
   */
  #findToolCall(part: ChatToolCallDelta, name: string, delta: string): number | undefined {
    const last = this.#toolCalls.size - 1;
    const isNewId = part.id ? !this.#wireIds.includes(part.id) : false;
    if (part.index === undefined || part.index === null) {
      const sameId = part.id ? this.#wireIds.lastIndexOf(part.id) : -1;
      if (sameId >= 0) return sameId;
      return last < 0 || name !== "" || isNewId ? undefined : last;
    }
    const known = this.#wireIndexes.lastIndexOf(part.index);
    if (known < 0 || (isNewId && name !== "" && this.#wireIds[known] !== "")) return undefined;
    // Another whole call under the same number, where calls have no ids.
    if (!part.id && name !== "" && delta.startsWith("{") && this.#toolCalls.isWhole(known)) return undefined;
    return known;
  }

  finish(): ModelAnswer {
    if (this.#finishReason === undefined && !this.done) throw this.#call.droppedError("finish_reason");
    if (this.#finishReason === "error")
      throw this.#call.streamedError({ message: "the model's server gave up" });
    return {
      content: this.#text.join(""),
      toolCalls: this.#toolCalls.toToolCalls().map((call, index) => {
        const extra = this.#extras?.get(index);
        return extra === undefined ? call : { ...call, extra };
      }),
      reasoning: this.#toReasoning(),
      finishReason: toFinishReason(this.#finishReason ?? "stop", this.#toolCalls.size > 0),
      usage:
        this.#usage && this.#nanoAiu !== undefined ? { ...this.#usage, nanoAiu: this.#nanoAiu } : this.#usage,
      model: this.#model,
      responseId: this.#responseId,
      headers: this.#call.headers,
    };
  }

  #toReasoning(): ModelReasoning | undefined {
    const details = this.#reasoningDetails?.toList();
    const hasNone = this.#reasoning.length === 0 && this.#reasoningOpaque === undefined;
    if (hasNone && !details && !this.#extras) return undefined;
    return {
      text: this.#reasoning.length > 0 ? this.#reasoning.join("") : undefined,
      opaque: this.#reasoningOpaque,
      ...(details && { details }),
      ...(this.#reasoningField !== undefined && { wireField: this.#reasoningField }),
    };
  }
}

/** Only what can be looked into: a list's members that are objects. */
function toList<T extends object>(value: readonly T[] | null | undefined): readonly T[] {
  if (!Array.isArray(value)) return [];
  return value.every(isObject) ? value : value.filter(isObject);
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;

function toText(value: string | readonly ChatContentPart[] | undefined): string {
  if (typeof value === "string") return value;
  return toList(value)
    .map((part) => (typeof part.text === "string" ? part.text : ""))
    .join("");
}

/** Servers that say "stop" although they ask for tools are common; the calls are what counts. */
function toFinishReason(wire: string, hasToolCalls: boolean): ModelAnswer["finishReason"] {
  const reason = wire.toLowerCase();
  if (reason === "length" || reason === "max_tokens") return "length";
  if (FILTERED.has(reason)) return "content-filter";
  if (hasToolCalls) return "tool-calls";
  return reason === "stop" || reason === "eos" || reason === "end_turn" ? "stop" : "other";
}

/** `content_filter`, and Gemini's reasons where a gateway passes them on. */
const FILTERED: ReadonlySet<string> = new Set([
  "content_filter",
  "safety",
  "recitation",
  "blocklist",
  "prohibited_content",
  "spii",
]);

function toChatUsage(usage: ChatUsage): ModelUsage {
  return {
    inputTokens: toTokenCount(usage.prompt_tokens) ?? 0,
    outputTokens: toTokenCount(usage.completion_tokens) ?? 0,
    cacheReadTokens: toTokenCount(
      usage.prompt_tokens_details?.cached_tokens ?? usage.prompt_cache_hit_tokens,
    ),
    reasoningTokens: toTokenCount(usage.completion_tokens_details?.reasoning_tokens),
  };
}
