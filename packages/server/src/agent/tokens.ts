/**
 * How many tokens a piece of context is, about. No tokenizer: four bytes of UTF-8 a token, which is
 * near enough for prose and code, and errs to the safe side for scripts that take three bytes a
 * character. Where a provider has counted, its figure goes before this one.
 */
import type { ModelContentPart, ModelMessage, ModelTool } from "../models/model-provider.ts";

const BYTES_PER_TOKEN = 4;
/** What the wire puts around each message and each tool. */
const TOKENS_AROUND = 4;
/** Providers charge images by size, about this much for a screenshot. */
const TOKENS_OF_IMAGE = 1_500;
/** A document's bytes say little about its text; about a page for every so many base64 characters. */
const BASE64_PER_DOCUMENT_TOKEN = 40;

export function tokensOfText(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

export function tokensOfMessage(message: ModelMessage): number {
  switch (message.role) {
    case "user":
      return TOKENS_AROUND + tokensOfContent(message.content);
    case "tool":
      return TOKENS_AROUND + tokensOfText(message.content) + (message.images?.length ?? 0) * TOKENS_OF_IMAGE;
    case "assistant": {
      let tokens = TOKENS_AROUND + tokensOfText(message.content);
      for (const call of message.toolCalls) tokens += TOKENS_AROUND + tokensOfText(call.arguments);
      return tokens;
    }
  }
}

/**
 * What was counted of a conversation, by its array: it is asked for with every model call, and only its
 * end changes. When the last message that was counted is not where it was, all are counted again.
 */
const conversations = new WeakMap<
  readonly ModelMessage[],
  { readonly count: number; readonly last: ModelMessage | undefined; readonly tokens: number }
>();

/** The tokens of the messages from the one at `from` on. */
export function tokensOfMessages(messages: readonly ModelMessage[], from = 0): number {
  if (from > 0) return sumOfMessages(messages, from);
  const known = conversations.get(messages);
  const valid = known && messages[known.count - 1] === known.last ? known : undefined;
  const tokens = (valid?.tokens ?? 0) + sumOfMessages(messages, valid?.count ?? 0);
  conversations.set(messages, { count: messages.length, last: messages.at(-1), tokens });
  return tokens;
}

function sumOfMessages(messages: readonly ModelMessage[], from: number): number {
  let tokens = 0;
  for (let index = from; index < messages.length; index += 1)
    tokens += tokensOfMessage(messages[index] as ModelMessage);
  return tokens;
}

/** The same declarations are offered with every call: each is counted once. */
const counted = new WeakMap<ModelTool, number>();

export function tokensOfTool(tool: ModelTool): number {
  let tokens = counted.get(tool);
  if (tokens === undefined) {
    const { name, description, parameters } = tool;
    tokens = TOKENS_AROUND + tokensOfText(JSON.stringify({ name, description, parameters }));
    counted.set(tool, tokens);
  }
  return tokens;
}

export function tokensOfTools(tools: readonly ModelTool[]): number {
  return tools.reduce((sum, tool) => sum + tokensOfTool(tool), 0);
}

function tokensOfContent(content: string | readonly ModelContentPart[]): number {
  if (typeof content === "string") return tokensOfText(content);
  return content.reduce((sum, part) => {
    if (part.type === "text") return sum + tokensOfText(part.text);
    if (part.type === "image") return sum + TOKENS_OF_IMAGE;
    return sum + Math.ceil(part.base64.length / BASE64_PER_DOCUMENT_TOKEN);
  }, 0);
}
