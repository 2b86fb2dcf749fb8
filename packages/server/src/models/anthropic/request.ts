import { COMMON_CALL_IDS, WireCallIds } from "../call-ids.ts";
import { lookUpModel } from "../catalog.ts";
import type { ModelContentPart, ModelMessage, ModelRequest } from "../model-provider.ts";
import { reasoningFor } from "../reasoning-origin.ts";
import { toObjectSchema } from "../tool-schema.ts";
import { toAssistantBlocks } from "./content-layout.ts";

type Block = Record<string, unknown>;
type WireMessage = { readonly role: "user" | "assistant"; readonly content: Block[] };

/** Marks the end of what the provider should cache; three of the four marks that a request may have. */
const CACHE = { cache_control: { type: "ephemeral" } } as const;

/** The body of `POST /v1/messages`. */
export function toMessagesBody(request: ModelRequest, origin: string): Record<string, unknown> {
  const maxTokens = request.maxOutputTokens ?? lookUpModel(request.model).maxOutputTokens;
  const messages = toMessages(request, origin);
  const thinking = toThinking(request, maxTokens);
  if (isBudget(thinking) && asksWithoutThinking(messages)) delete thinking["thinking"];
  const body: Record<string, unknown> = {
    model: request.model,
    max_tokens: maxTokens,
    messages: withCacheMark(messages),
    ...thinking,
  };
  if (request.responseFormat !== undefined) {
    const format = { type: "json_schema", schema: request.responseFormat.jsonSchema.schema };
    body["output_config"] = { ...(thinking["output_config"] as object | undefined), format };
  }
  if (request.system.trim() !== "") body["system"] = [{ type: "text", text: request.system, ...CACHE }];
  if (request.tools.length > 0) body["tools"] = toTools(request.tools);
  if (request.stream) body["stream"] = true;
  return body;
}

function toTools(tools: ModelRequest["tools"]): Block[] {
  return tools.map((tool, index) => ({
    name: tool.name,
    description: tool.description,
    input_schema: toObjectSchema(tool.parameters),
    ...(index === tools.length - 1 && CACHE),
  }));
}

/** Tool results are user content here, and all results of one turn must stand in one message. */
function toMessages(request: ModelRequest, origin: string): WireMessage[] {
  const wire: WireMessage[] = [];
  const ids = new WireCallIds(COMMON_CALL_IDS);
  for (const message of request.messages) {
    if (message.role !== "tool") ids.begin();
    const content = toBlocks(message, request.citations === true, origin, ids);
    // The API refuses empty content; an assistant that said nothing is left out.
    if (content.length === 0) continue;
    const role = message.role === "assistant" ? "assistant" : "user";
    const last = wire.at(-1);
    if (role === "user" && last?.role === "user") last.content.push(...content);
    else wire.push({ role, content });
  }
  return wire;
}

function toBlocks(message: ModelMessage, isCitable: boolean, origin: string, ids: WireCallIds): Block[] {
  switch (message.role) {
    case "user":
      return typeof message.content === "string"
        ? toText(message.content)
        : message.content.flatMap((part) => toBlock(part, isCitable));
    case "assistant":
      return toAssistantBlocks(message, reasoningFor(origin, message.reasoning), ids);
    case "tool":
      return [toToolResult(message, ids)];
  }
}

function toText(text: string): Block[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}

function toToolResult(message: Extract<ModelMessage, { role: "tool" }>, ids: WireCallIds): Block {
  const images = (message.images ?? []).map(toImage);
  // Blank text is refused, and so is an error that says nothing.
  const isMute = message.content.trim() === "" && (message.content !== "" || message.isError === true);
  const text = isMute ? "(no output)" : message.content;
  return {
    type: "tool_result",
    tool_use_id: ids.next(message.toolCallId),
    content: images.length > 0 ? [...toText(text), ...images] : text,
    ...(message.isError && { is_error: true }),
  };
}

function toBlock(part: ModelContentPart, isCitable: boolean): Block[] {
  switch (part.type) {
    case "text":
      return toText(part.text);
    case "image":
      return [toImage(part)];
    case "document":
      return [{ ...toDocument(part), ...(isCitable && { citations: { enabled: true } }) }];
  }
}

function toImage(image: { readonly mimeType: string; readonly base64: string }): Block {
  return { type: "image", source: { type: "base64", media_type: image.mimeType, data: image.base64 } };
}

function toDocument(part: Extract<ModelContentPart, { type: "document" }>): Block {
  const source = part.mimeType.startsWith("text/")
    ? { type: "text", media_type: "text/plain", data: Buffer.from(part.base64, "base64").toString("utf8") }
    : { type: "base64", media_type: part.mimeType, data: part.base64 };
  return { type: "document", source, title: part.name };
}

function isBudget(thinking: Record<string, unknown>): boolean {
  return (thinking["thinking"] as { readonly type?: string } | undefined)?.type === "enabled";
}

/** The answer whose calls are being carried out did not think: with a budget for thinking it would be refused. */
function asksWithoutThinking(messages: readonly WireMessage[]): boolean {
  const isResult = messages.at(-1)?.content.some((block) => block["type"] === "tool_result");
  const first = messages.at(-2)?.content[0]?.["type"];
  return isResult === true && first !== "thinking" && first !== "redacted_thinking";
}

/** The last user message ends what the next request will repeat. */
function withCacheMark(messages: WireMessage[]): WireMessage[] {
  const last = messages.findLast((message) => message.role === "user");
  const block = last?.content.at(-1);
  if (last !== undefined && block !== undefined)
    last.content[last.content.length - 1] = { ...block, ...CACHE };
  return messages;
}

/** Thinking tokens for models that are given a budget; the API wants at least 1024. */
const BUDGET_TOKENS: Readonly<Record<string, number>> = {
  minimal: 1_024,
  low: 4_096,
  medium: 12_288,
  high: 24_576,
  xhigh: 32_768,
  max: 49_152,
};
const MIN_BUDGET_TOKENS = 1_024;

/**
 * Newer models decide themselves how much to think and are told the effort; older ones are given a
 * budget, which counts towards `max_tokens` and leaves room for an answer.
 */
function toThinking(request: ModelRequest, maxTokens: number): Record<string, unknown> {
  const effort = request.reasoningEffort;
  if (effort === undefined || effort === "none") return {};
  const facts = lookUpModel(request.model);
  const display = request.reasoningSummary === "none" ? "omitted" : "summarized";
  if (facts.thinking !== "budget")
    return { thinking: { type: "adaptive", display }, output_config: { effort } };
  const budget = Math.min(
    BUDGET_TOKENS[effort] ?? BUDGET_TOKENS["medium"] ?? MIN_BUDGET_TOKENS,
    Math.floor(maxTokens / 2),
  );
  const output = facts.reasoningEfforts.includes(effort) ? { output_config: { effort } } : {};
  return budget < MIN_BUDGET_TOKENS
    ? output
    : { thinking: { type: "enabled", budget_tokens: budget }, ...output };
}
