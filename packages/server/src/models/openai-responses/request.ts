import { type CallIdRule, COMMON_CALL_IDS, WireCallIds } from "../call-ids.ts";
import { lookUpModel } from "../catalog.ts";
import type { ModelContentPart, ModelMessage, ModelRequest } from "../model-provider.ts";
import { reasoningFor } from "../reasoning-origin.ts";
import { toToolName } from "../tool-names.ts";
import { toObjectSchema } from "../tool-schema.ts";
import { toReasoningInput } from "./reasoning-items.ts";

type Json = Record<string, unknown>;

const RESPONSES_IDS: CallIdRule = { ...COMMON_CALL_IDS, maxLength: 64 };

/**
 * The body of `POST /responses`. Stateless: the provider stores nothing, the whole conversation goes
 * along, and reasoning travels encrypted.
 */
export function toResponsesBody(request: ModelRequest, origin: string): Json {
  const ids = new WireCallIds(RESPONSES_IDS);
  const input = request.messages.flatMap((message) => toItems(message, origin, ids));
  const body: Json = { model: request.model, input, store: false };
  if (request.system !== "") body["instructions"] = request.system;
  if (request.tools.length > 0) body["tools"] = request.tools.map(toTool);
  if (request.maxOutputTokens !== undefined) body["max_output_tokens"] = request.maxOutputTokens;
  const reasoning = toReasoningOptions(request);
  if (reasoning !== undefined) body["reasoning"] = reasoning;
  // Models that do not reason answer 400 when asked for it.
  if (isReasoning(request)) body["include"] = ["reasoning.encrypted_content"];
  if (request.responseFormat !== undefined)
    body["text"] = { format: { type: "json_schema", ...request.responseFormat.jsonSchema } };
  if (request.stream) body["stream"] = true;
  return body;
}

function isReasoning(request: ModelRequest): boolean {
  if (request.reasoningEffort !== undefined) return request.reasoningEffort !== "none";
  return request.reasoningSummary !== undefined || lookUpModel(request.model).reasoningEfforts.length > 0;
}

function toReasoningOptions({ reasoningEffort, reasoningSummary }: ModelRequest): Json | undefined {
  const summary = reasoningSummary === "none" ? undefined : reasoningSummary;
  if (reasoningEffort === undefined && summary === undefined) return undefined;
  return {
    ...(reasoningEffort !== undefined && { effort: reasoningEffort }),
    ...(summary !== undefined && { summary }),
  };
}

/** `strict` would reject schemas with optional properties, and is the API's default. */
function toTool(tool: ModelRequest["tools"][number]): Json {
  return {
    type: "function",
    name: tool.name,
    description: tool.description,
    parameters: toObjectSchema(tool.parameters),
    strict: false,
  };
}

function toItems(message: ModelMessage, origin: string, ids: WireCallIds): Json[] {
  if (message.role !== "tool") ids.begin();
  switch (message.role) {
    case "user":
      return [
        {
          role: "user",
          content: typeof message.content === "string" ? message.content : message.content.map(toPart),
        },
      ];
    case "assistant":
      return toAssistantItems(message, origin, ids);
    case "tool":
      return [
        { type: "function_call_output", call_id: ids.next(message.toolCallId), output: toOutput(message) },
      ];
  }
}

function toAssistantItems(
  message: Extract<ModelMessage, { role: "assistant" }>,
  origin: string,
  ids: WireCallIds,
): Json[] {
  const text =
    message.content.trim() === ""
      ? []
      : [
          {
            type: "message",
            role: "assistant",
            content: [{ type: "output_text", text: message.content, annotations: [] }],
          },
        ];
  const callIds = ids.ofCalls(message.toolCalls);
  const calls = message.toolCalls.map((call, index) => ({
    type: "function_call",
    call_id: callIds[index],
    name: toToolName(call.name),
    arguments: call.arguments,
  }));
  // Reasoning that nothing follows is refused.
  if (text.length === 0 && calls.length === 0) return [];
  return [...toReasoningInput(reasoningFor(origin, message.reasoning)), ...text, ...calls];
}

function toOutput(message: Extract<ModelMessage, { role: "tool" }>): string | Json[] {
  if (message.images === undefined || message.images.length === 0) return message.content;
  return [{ type: "input_text", text: message.content }, ...message.images.map(toImage)];
}

function toPart(part: ModelContentPart): Json {
  switch (part.type) {
    case "text":
      return { type: "input_text", text: part.text };
    case "image":
      return toImage(part);
    case "document":
      return toDocument(part);
  }
}

function toImage(image: { readonly mimeType: string; readonly base64: string }): Json {
  return { type: "input_image", detail: "auto", image_url: `data:${image.mimeType};base64,${image.base64}` };
}

function toDocument(part: Extract<ModelContentPart, { type: "document" }>): Json {
  if (part.mimeType.startsWith("text/")) {
    return {
      type: "input_text",
      text: `${part.name}:\n${Buffer.from(part.base64, "base64").toString("utf8")}`,
    };
  }
  return {
    type: "input_file",
    filename: part.name,
    file_data: `data:${part.mimeType};base64,${part.base64}`,
  };
}
