import { nanoAiuOf } from "../copilot-cost.ts";
import type { ModelCall } from "../model-call.ts";
import type { ModelAnswer, ModelEvent, ModelUsage } from "../model-provider.ts";
import { type AnswerReader, parseEventData } from "../run-call.ts";
import { toTokenCount } from "../token-count.ts";
import { ToolCallParts } from "../tool-call-parts.ts";
import { type ReasoningItem, toReasoning } from "./reasoning-items.ts";
import type { ResponseBody, ResponseItem, ResponsesEvent, ResponseUsage } from "./wire.ts";

/**
 * Reads Responses, streamed or whole. The stream is complete once `response.completed` or
 * `response.incomplete` came, or `[DONE]`; both carry the whole response again, from which only what the stream left
 * out is taken.
 */
export class ResponsesAnswerReader implements AnswerReader {
  done = false;
  readonly #call: ModelCall;
  readonly #text: string[] = [];
  readonly #toolCalls = new ToolCallParts();
  /** Our index of each call, by the id of its item and by the wire's index of that, which some give to several. */
  readonly #callIndexes = new Map<string | number, number>();
  /** Text came since the last part of a message ended. */
  #hasTextOfPart = false;
  readonly #reasoning: ReasoningItem[] = [];
  #hasReasoningText = false;
  #final: ResponseBody | undefined;
  #nanoAiu: number | undefined;

  constructor(call: ModelCall) {
    this.#call = call;
  }

  push(data: string, out: ModelEvent[]): void {
    if (data === "[DONE]") {
      this.#final ??= {};
      this.done = true;
      return;
    }
    const event = parseEventData(this.#call, data) as ResponsesEvent;
    switch (event.type) {
      case "response.output_text.delta":
      case "response.refusal.delta":
        this.#hasTextOfPart = true;
        return this.#addText(event.delta, out);
      case "response.output_text.done":
        if (!this.#hasTextOfPart) this.#addText(event.text, out);
        this.#hasTextOfPart = false;
        return;
      case "response.reasoning_summary_text.delta":
      case "response.reasoning_text.delta":
        return this.#addReasoningText(event.delta, out);
      case "response.reasoning_summary_part.added":
        // Parts of a summary are paragraphs.
        return (event.summary_index ?? 0) > 0 ? this.#addReasoningText("\n\n", out) : undefined;
      case "response.function_call_arguments.delta":
        return this.#addArguments(event, out);
      case "response.function_call_arguments.done":
        return this.#completeArguments(
          this.#findCall(event.item_id, event.output_index),
          event.arguments,
          out,
        );
      case "response.output_item.added":
        if (event.item?.type === "function_call") this.#beginCall(event.item, event.output_index, out);
        return;
      case "response.output_item.done":
        return this.#endItem(event, out);
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
      case "response.done":
        this.#nanoAiu = nanoAiuOf(event);
        this.#end(event.response ?? {}, out);
        this.done = true;
        return;
      default:
        if (event.type === "error" || (event.error !== undefined && event.error !== null))
          throw this.#call.streamedError(event);
    }
  }

  pushWhole(body: unknown, out: ModelEvent[]): void {
    this.#end((body ?? {}) as ResponseBody, out);
  }

  #addText(delta: unknown, out: ModelEvent[]): void {
    if (typeof delta !== "string" || delta === "") return;
    this.#text.push(delta);
    out.push({ type: "text", delta });
  }

  #addReasoningText(delta: unknown, out: ModelEvent[]): void {
    if (typeof delta !== "string" || delta === "") return;
    this.#hasReasoningText = true;
    out.push({ type: "reasoning", delta });
  }

  #beginCall(item: ResponseItem, wireIndex: number | undefined, out: ModelEvent[]): void {
    const told = toArguments(item.arguments);
    const index = this.#toolCalls.begin({ id: item.call_id, name: item.name ?? "", told }, out);
    if (item.id) this.#callIndexes.set(item.id, index);
    this.#callIndexes.set(wireIndex ?? 0, index);
  }

  /** By the item's id where the call has one; an index may be left out, or be that of several. */
  #findCall(itemId: string | undefined, wireIndex = 0): number | undefined {
    const byId = itemId ? this.#callIndexes.get(itemId) : undefined;
    return byId ?? this.#callIndexes.get(wireIndex);
  }

  #addArguments(event: ResponsesEvent, out: ModelEvent[]): void {
    const index = this.#findCall(event.item_id, event.output_index);
    if (index !== undefined && typeof event.delta === "string")
      this.#toolCalls.append(index, event.delta, out);
  }

  #completeArguments(index: number | undefined, whole: unknown, out: ModelEvent[]): void {
    if (index !== undefined) this.#toolCalls.complete(index, toArguments(whole), out);
  }

  #endItem({ item, output_index }: ResponsesEvent, out: ModelEvent[]): void {
    if (item?.type === "reasoning") this.#addReasoning(item);
    if (item?.type === "message" && this.#text.length === 0)
      for (const text of toTexts(item)) this.#addText(text, out);
    if (item?.type !== "function_call") return;
    // One that was not begun: its index may be that of another.
    const isNew = item.id !== undefined && !this.#callIndexes.has(item.id);
    const index = isNew ? undefined : this.#findCall(item.id, output_index);
    if (index === undefined) this.#beginCall(item, output_index, out);
    else this.#toolCalls.setName(index, item.name ?? "", out);
    this.#completeArguments(index ?? this.#toolCalls.size - 1, item.arguments, out);
  }

  #addReasoning(item: ResponseItem): void {
    const summary = toList(item.summary)
      .map((part) => part.text ?? "")
      .filter((text) => text !== "");
    this.#reasoning.push({ id: item.id ?? "", summary, encrypted: item.encrypted_content ?? undefined });
  }

  #end(response: ResponseBody, out: ModelEvent[]): void {
    if (response.status === "failed" || (response.error !== undefined && response.error !== null))
      throw this.#call.streamedError(response);
    this.#final = response;
    this.#nanoAiu ??= nanoAiuOf(response);
    this.done =
      response.status !== "in_progress" && response.status !== "queued" && response.output !== undefined;
    const output = toList(response.output);
    if (this.#reasoning.length === 0) this.#takeReasoning(output, out);
    if (this.#text.length === 0) for (const text of output.flatMap(toTexts)) this.#addText(text, out);
    if (this.#toolCalls.size === 0) {
      for (const [index, item] of output.entries())
        if (item.type === "function_call") this.#beginCall(item, index, out);
    }
    this.#toolCalls.settle(out);
  }

  #takeReasoning(output: readonly ResponseItem[], out: ModelEvent[]): void {
    for (const item of output) if (item.type === "reasoning") this.#addReasoning(item);
    if (!this.#hasReasoningText)
      this.#addReasoningText(this.#reasoning.flatMap((item) => item.summary).join("\n\n"), out);
  }

  finish(): ModelAnswer {
    if (!this.done || this.#final === undefined) throw this.#call.droppedError("response.completed");
    return {
      content: this.#text.join(""),
      toolCalls: this.#toolCalls.toToolCalls(),
      reasoning: toReasoning(this.#reasoning),
      finishReason: toFinishReason(this.#final, this.#toolCalls.size > 0),
      usage: this.#final.usage ? toUsage(this.#final.usage, this.#nanoAiu) : undefined,
      model: this.#final.model,
      responseId: this.#final.id,
      headers: this.#call.headers,
    };
  }
}

/** Some servers send the arguments as an object although the wire has them as text. */
function toArguments(given: unknown): string {
  if (typeof given === "string") return given;
  return typeof given === "object" && given !== null ? JSON.stringify(given) : "";
}

/** Only what can be looked into. */
function toList<T extends object>(value: readonly T[] | null | undefined): T[] {
  return Array.isArray(value) ? value.filter((member) => typeof member === "object" && member !== null) : [];
}

function toTexts(item: ResponseItem): string[] {
  if (item.type !== "message") return [];
  return toList(item.content).map((part) => part.text ?? part.refusal ?? "");
}

function toFinishReason(response: ResponseBody, hasToolCalls: boolean): ModelAnswer["finishReason"] {
  const reason = response.incomplete_details?.reason;
  if (reason === "max_output_tokens") return "length";
  if (reason === "content_filter") return "content-filter";
  if (hasToolCalls) return "tool-calls";
  return response.status === "completed" || response.status === undefined ? "stop" : "other";
}

function toUsage(usage: ResponseUsage, nanoAiu: number | undefined): ModelUsage {
  return {
    inputTokens: toTokenCount(usage.input_tokens) ?? 0,
    outputTokens: toTokenCount(usage.output_tokens) ?? 0,
    cacheReadTokens: toTokenCount(usage.input_tokens_details?.cached_tokens),
    reasoningTokens: toTokenCount(usage.output_tokens_details?.reasoning_tokens),
    ...(nanoAiu !== undefined ? { nanoAiu } : {}),
  };
}
