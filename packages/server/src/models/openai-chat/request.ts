import { toJson } from "@rightseat/protocol";
import { WireCallIds } from "../call-ids.ts";
import type { ConcededRequest } from "../concessions.ts";
import type {
  ModelContentPart,
  ModelMessage,
  ModelRequest,
  ModelTool,
  ToolImage,
} from "../model-provider.ts";
import { toObjectSchema } from "../tool-schema.ts";
import { toAssistantMessages } from "./assistant-message.ts";
import type { ChatParts } from "./concessions.ts";
import { ConversationEncoder } from "./conversation-encoder.ts";
import { type ChatSpelling, chooseChatSpelling } from "./spelling.ts";
import { isStrict, toStrictMessages } from "./strict-messages.ts";

/** What differs between servers that speak Chat Completions. */
export interface ChatDialect {
  /** "max_completion_tokens" is OpenAI's and Azure's; most compatible servers know only the older name. */
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
  readonly spelling: ChatSpelling;
}

type Json = Record<string, unknown>;

/** The body of `POST /chat/completions`, as JSON. Texts are passed on exactly as given. */
export function toChatBody(
  request: ModelRequest,
  dialect: ChatDialect,
  conceded: ConcededRequest<ChatParts>,
): Uint8Array {
  const asked = { options: toChatOptions(request, dialect), spelling: dialect.spelling };
  const { options, spelling } = conceded.apply(asked);
  const system = request.system === "" ? [] : [{ role: "system", content: request.system }];
  if (isStrict(spelling)) {
    const messages = toStrictMessages([...system, ...toChatMessages(request.messages, spelling)], spelling);
    return Buffer.from(toJson({ model: request.model, messages, ...options }));
  }
  return joinBody(request, toJson(system).slice(1, -1), toJson(options).slice(1, -1), spelling);
}

/** @param system and `options` are JSON without brackets. */
function joinBody(
  request: ModelRequest,
  system: string,
  options: string,
  spelling: ChatSpelling,
): Uint8Array {
  const { kept, text } = conversations.encode(request.messages, spelling);
  const comma = (before: unknown, behind: unknown) => (before && behind ? "," : "");
  const head = `{"model":${toJson(request.model)},"messages":[${system}${comma(system, kept ?? text)}`;
  const tail = `${comma(kept, text)}${text}]${comma(true, options)}${options}}`;
  return kept ? Buffer.concat([Buffer.from(head), kept, Buffer.from(tail)]) : Buffer.from(head + tail);
}

const conversations = new ConversationEncoder(toChatMessages);

function toChatOptions(request: ModelRequest, dialect: ChatDialect): Json {
  const body: Json = {};
  if (request.tools.length > 0) body["tools"] = request.tools.map(toChatTool);
  if (request.maxOutputTokens !== undefined) body[dialect.maxTokensField] = request.maxOutputTokens;
  if (request.reasoningEffort !== undefined) body["reasoning_effort"] = request.reasoningEffort;
  if (request.responseFormat !== undefined)
    body["response_format"] = { type: "json_schema", json_schema: request.responseFormat.jsonSchema };
  if (request.stream) {
    body["stream"] = true;
    body["stream_options"] = { include_usage: true };
  }
  return body;
}

function toChatMessages(messages: readonly ModelMessage[], spelling: ChatSpelling): Json[] {
  const wire: Json[] = [];
  const ids = new WireCallIds(spelling.callIds);
  // Images of tool results wait until all results of a turn are out: no user message may come between them.
  let images: Json[] = [];
  const push = (message: Json) => {
    const isGap = message["role"] === "user" && wire.at(-1)?.["role"] === "tool";
    if (isGap && spelling.fillsGaps) wire.push({ role: "assistant", content: "Done." });
    wire.push(message);
  };
  for (const message of messages) {
    if (message.role !== "tool" && images.length > 0) {
      push(toImagesMessage(images));
      images = [];
    }
    if (message.role !== "tool") ids.begin();
    for (const one of toChatMessage(message, spelling, ids)) push(one);
    if (message.role === "tool") images.push(...(message.images ?? []).flatMap(toCaptionedImage));
  }
  if (images.length > 0) push(toImagesMessage(images));
  return wire;
}

function toCaptionedImage(image: ToolImage): Json[] {
  return [
    { type: "text", text: image.description ?? "Image from the tool results above:" },
    toImagePart(image),
  ];
}

function toImagesMessage(images: readonly Json[]): Json {
  return {
    role: "user",
    content: images,
  };
}

function toChatMessage(message: ModelMessage, spelling: ChatSpelling, ids: WireCallIds): Json[] {
  switch (message.role) {
    case "user":
      return [{ role: "user", content: toContent(message.content, spelling) }];
    case "tool":
      return [{ role: "tool", tool_call_id: ids.next(message.toolCallId), content: message.content }];
    case "assistant":
      return toAssistantMessages(message, spelling, ids);
  }
}

function toContent(content: string | readonly ModelContentPart[], spelling: ChatSpelling): unknown {
  if (typeof content === "string") return content;
  const parts = content.map(toChatPart);
  const isText = spelling.plainContent && parts.every(({ type }) => type === "text");
  return isText ? parts.map(({ text }) => text).join("\n\n") : parts;
}

function toChatPart(part: ModelContentPart): Json {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "image":
      return toImagePart(part);
    case "document":
      return toDocumentPart(part);
  }
}

function toImagePart(image: { readonly mimeType: string; readonly base64: string }): Json {
  return { type: "image_url", image_url: { url: `data:${image.mimeType};base64,${image.base64}` } };
}

/** The wire takes PDF as a file; plain text goes as text, which every model reads. */
function toDocumentPart(part: Extract<ModelContentPart, { type: "document" }>): Json {
  if (part.mimeType.startsWith("text/")) {
    return { type: "text", text: `${part.name}:\n${Buffer.from(part.base64, "base64").toString("utf8")}` };
  }
  return {
    type: "file",
    file: { filename: part.name, file_data: `data:${part.mimeType};base64,${part.base64}` },
  };
}

function toChatTool(tool: ModelTool): Json {
  return {
    type: "function",
    function: { name: tool.name, description: tool.description, parameters: toObjectSchema(tool.parameters) },
  };
}

/** The dialect of a server, told by its address and the model's name. */
export function chooseChatDialect(provider: string, baseUrl: string, model: string): ChatDialect {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : "";
  const isOpenAI = host === "api.openai.com" || host.endsWith(".azure.com");
  const isReasoningModel = /(?:^|\/)(?:o[1-9]|gpt-[5-9])(?:[.-]|$)/.test(model);
  return {
    maxTokensField: isOpenAI || isReasoningModel ? "max_completion_tokens" : "max_tokens",
    spelling: chooseChatSpelling(provider, baseUrl, model),
  };
}
