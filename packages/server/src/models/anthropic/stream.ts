import { nanoAiuOf } from "../copilot-cost.ts";
import type { ModelCall } from "../model-call.ts";
import type { ModelAnswer, ModelEvent, ModelUsage } from "../model-provider.ts";
import { type AnswerReader, parseEventData } from "../run-call.ts";
import { toTokenCount } from "../token-count.ts";
import { ToolCallParts } from "../tool-call-parts.ts";
import { toCitations } from "./citations.ts";
import { type LayoutItem, toReasoning } from "./content-layout.ts";
import type {
  MessagesBlock,
  MessagesBody,
  MessagesCitation,
  MessagesDelta,
  MessagesEvent,
  MessagesUsage,
} from "./wire.ts";

/** A block of the answer while it grows. */
interface OpenBlock {
  readonly type: "text" | "thinking" | "redacted_thinking" | "tool_use";
  characters: number;
  readonly thinking: string[];
  signature: string;
  readonly data: string;
  /** The citations of a text; made when something is cited. */
  citations?: MessagesCitation[];
  /** For a tool_use: our index of the call. */
  readonly call: number;
}

/** Those that are read: what else comes must not pile up. */
const USAGE_FIELDS = [
  "input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_creation_input_tokens",
  "output_tokens_details",
] as const;

/** Reads Messages, streamed or whole. The stream is complete once `message_stop`, `[DONE]` or a reason to stop came. */
export class MessagesAnswerReader implements AnswerReader {
  done = false;
  readonly #call: ModelCall;
  readonly #text: string[] = [];
  readonly #toolCalls = new ToolCallParts();
  /** In the answer's order. */
  readonly #blocks: OpenBlock[] = [];
  /** By the wire's index. */
  readonly #byIndex = new Map<number, OpenBlock>();
  #stopReason: string | undefined;
  #usage: MessagesUsage | undefined;
  #nanoAiu: number | undefined;
  #model: string | undefined;
  #responseId: string | undefined;

  constructor(call: ModelCall) {
    this.#call = call;
  }

  get whole(): boolean {
    return this.#stopReason !== undefined;
  }

  push(data: string, out: ModelEvent[]): void {
    if (data === "[DONE]") {
      this.done = true;
      return;
    }
    const event = parseEventData(this.#call, data) as MessagesEvent;
    if (event.copilot_usage) this.#nanoAiu = nanoAiuOf(event);
    switch (event.type) {
      case "content_block_delta":
        return this.#pushDelta(event, out);
      case "content_block_start":
        if (isObject(event.content_block))
          this.#begin(event.content_block, event.index ?? this.#blocks.length, out);
        return;
      case "message_start":
        if (isObject(event.message)) this.#pushHead(event.message);
        return;
      case "message_delta":
        this.#stopReason = event.delta?.stop_reason ?? this.#stopReason;
        this.#addUsage(event.usage);
        if (this.#stopReason !== undefined) this.#toolCalls.settle(out);
        return;
      case "message_stop":
        this.done = true;
        return;
      default:
        // "error" by name, or an error object of a gateway that knows no names.
        if (event.type === "error" || (event.error !== undefined && event.error !== null))
          throw this.#call.streamedError(event);
    }
  }

  pushWhole(body: unknown, out: ModelEvent[]): void {
    const message = (body ?? {}) as MessagesBody;
    if (message.type === "error" || isObject((body as MessagesEvent | null)?.error))
      throw this.#call.streamedError(message);
    this.#pushHead(message);
    for (const [index, block] of (Array.isArray(message.content) ? message.content : [])
      .filter(isObject)
      .entries())
      this.#begin(block, index, out);
    this.#toolCalls.settle(out);
    this.#stopReason = message.stop_reason ?? undefined;
    this.done = message.stop_reason !== undefined && message.stop_reason !== null;
  }

  #pushHead(message: MessagesBody): void {
    this.#model = message.model;
    this.#responseId = message.id;
    this.#addUsage(message.usage);
    this.#nanoAiu = nanoAiuOf(message) ?? this.#nanoAiu;
  }

  /** Later counts replace earlier ones; the last event leaves out what has not changed. */
  #addUsage(usage: MessagesUsage | null | undefined): void {
    if (!isObject(usage)) return;
    const given = USAGE_FIELDS.filter((name) => usage[name] !== null && usage[name] !== undefined);
    this.#usage = { ...this.#usage, ...Object.fromEntries(given.map((name) => [name, usage[name]])) };
  }

  #begin(block: MessagesBlock, index: number, out: ModelEvent[]): void {
    const opened = this.#open(block, out);
    if (opened === undefined) return;
    this.#blocks.push(opened);
    this.#byIndex.set(index, opened);
    if (block.text) this.#addText(opened, block.text, out);
    if (block.thinking) this.#addThinking(opened, block.thinking, out);
    if (block.signature) opened.signature = block.signature;
    if (block.citations && block.citations.length > 0) opened.citations = [...block.citations];
  }

  #open(block: MessagesBlock, out: ModelEvent[]): OpenBlock | undefined {
    const { type } = block;
    if (type !== "text" && type !== "thinking" && type !== "redacted_thinking" && type !== "tool_use")
      return undefined;
    const call = type === "tool_use" ? this.#beginCall(block, out) : -1;
    return { type, characters: 0, thinking: [], signature: "", data: block.data ?? "", call };
  }

  #beginCall(block: MessagesBlock, out: ModelEvent[]): number {
    // Empty while streaming, the arguments in a whole answer.
    const isFilled =
      typeof block.input === "object" && block.input !== null && Object.keys(block.input).length > 0;
    const told = isFilled ? JSON.stringify(block.input) : "";
    return this.#toolCalls.begin({ id: block.id, name: block.name ?? "", told }, out);
  }

  #pushDelta(event: MessagesEvent, out: ModelEvent[]): void {
    const delta: MessagesDelta | null | undefined = event.delta;
    if (delta === undefined || delta === null) return;
    const block = this.#blockOf(event.index, delta, out);
    if (block === undefined) return;
    if (delta.type === "text_delta") this.#addText(block, delta.text ?? "", out);
    else if (delta.type === "thinking_delta") this.#addThinking(block, delta.thinking ?? "", out);
    else if (delta.type === "citations_delta") {
      if (delta.citation) (block.citations ??= []).push(delta.citation);
    } else if (delta.type === "signature_delta") block.signature += delta.signature ?? "";
    else if (delta.type === "input_json_delta")
      this.#toolCalls.append(block.call, delta.partial_json ?? "", out);
  }

  /** The block that a delta belongs to: the newest where no index is given, a new one where none was begun. */
  #blockOf(index: number | undefined, { type }: MessagesDelta, out: ModelEvent[]): OpenBlock | undefined {
    const known = index === undefined || index === null ? this.#blocks.at(-1) : this.#byIndex.get(index);
    if (known !== undefined || !(type === "text_delta" || type === "thinking_delta")) return known;
    this.#begin({ type: type === "text_delta" ? "text" : "thinking" }, index ?? 0, out);
    return this.#blocks.at(-1);
  }

  #addText(block: OpenBlock, delta: string, out: ModelEvent[]): void {
    if (delta === "") return;
    block.characters += delta.length;
    this.#text.push(delta);
    out.push({ type: "text", delta });
  }

  #addThinking(block: OpenBlock, delta: string, out: ModelEvent[]): void {
    if (delta === "") return;
    block.thinking.push(delta);
    out.push({ type: "reasoning", delta });
  }

  finish(): ModelAnswer {
    if (!this.done && this.#stopReason === undefined) throw this.#call.droppedError("message_stop");
    return {
      content: this.#text.join(""),
      toolCalls: this.#toolCalls.toToolCalls(),
      reasoning: toReasoning(this.#blocks.map(toLayoutItem)),
      citations: toCitations(
        this.#blocks.map(({ characters, citations = [] }) => ({ characters, citations })),
      ),
      finishReason: toFinishReason(this.#stopReason, this.#toolCalls.size > 0),
      usage: this.#usage === undefined ? undefined : toUsage(this.#usage, this.#nanoAiu),
      model: this.#model,
      responseId: this.#responseId,
      headers: this.#call.headers,
    };
  }
}

function isObject<T>(value: T): value is T & object {
  return typeof value === "object" && value !== null;
}

function toLayoutItem(block: OpenBlock): LayoutItem {
  switch (block.type) {
    case "thinking":
      return { type: "thinking", thinking: block.thinking.join(""), signature: block.signature };
    case "redacted_thinking":
      return { type: "redacted_thinking", data: block.data };
    case "text":
      return { type: "text", characters: block.characters };
    case "tool_use":
      return { type: "tool_use" };
  }
}

function toFinishReason(wire: string | undefined, hasToolCalls: boolean): ModelAnswer["finishReason"] {
  if (wire === "max_tokens" || wire === "model_context_window_exceeded") return "length";
  if (wire === "refusal") return "content-filter";
  if (hasToolCalls) return "tool-calls";
  return wire === "end_turn" || wire === "stop_sequence" ? "stop" : "other";
}

function toUsage(usage: MessagesUsage, nanoAiu: number | undefined): ModelUsage {
  const cacheReadTokens = toTokenCount(usage.cache_read_input_tokens) ?? 0;
  const cacheWriteTokens = toTokenCount(usage.cache_creation_input_tokens) ?? 0;
  return {
    inputTokens: (toTokenCount(usage.input_tokens) ?? 0) + cacheReadTokens + cacheWriteTokens,
    outputTokens: toTokenCount(usage.output_tokens) ?? 0,
    cacheReadTokens,
    cacheWriteTokens,
    reasoningTokens: toTokenCount(usage.output_tokens_details?.thinking_tokens),
    ...(nanoAiu !== undefined ? { nanoAiu } : {}),
  };
}
