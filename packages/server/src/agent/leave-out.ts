/**
 * What is left out of a conversation that a provider refused: one item of it that the provider does not
 * take would otherwise end every later turn. Nobody says which item it was, so kinds of items are left
 * out one after the other, the likeliest first.
 */
import { type ModelContentPart, ModelError, type ModelMessage } from "../models/model-provider.ts";

/** Images and documents; reasoning; prompts that were never answered; calls of tools as such. */
export const LEFT_OUT_KINDS = ["images", "reasoning", "prompts", "calls"] as const;
export type LeftOutKind = (typeof LEFT_OUT_KINDS)[number];

/** As the user reads it. */
export const LEFT_OUT_NAMES: Readonly<Record<LeftOutKind, string>> = {
  images: "images and documents",
  reasoning: "earlier reasoning",
  prompts: "earlier prompts that got no answer",
  calls: "tool calls, which are told as text",
};

/** What a provider says beside its refusal. It chooses only what is tried first. */
const HINTS: readonly (readonly [RegExp, LeftOutKind])[] = [
  [/image|picture|media|document|\bpdf\b/i, "images"],
  [/reasoning|thinking|thought|signature|encrypted/i, "reasoning"],
  [/tool|function/i, "calls"],
];

/** Whether a provider refused what it was sent of the conversation, as far as it says. */
export function isRefusal(error: unknown): error is ModelError {
  if (!(error instanceof ModelError) || error.kind !== "invalid-request") return false;
  if (error.refusedField !== undefined) return false;
  return error.status === 400 || error.status === 422;
}

/**
 * What to leave out of a refused conversation; undefined when it has nothing that could go.
 * @param inVain what was left out before, and the provider refused the rest.
 */
export function chooseLeftOut(
  messages: readonly ModelMessage[],
  refusal: ModelError,
  inVain: readonly LeftOutKind[],
): readonly LeftOutKind[] | undefined {
  const hinted = HINTS.find(([words]) => words.test(refusal.message))?.[1];
  const order = hinted === undefined ? LEFT_OUT_KINDS : [hinted, ...LEFT_OUT_KINDS];
  const next = order.find((kind) => !inVain.includes(kind) && leaveOut(messages, [kind]) !== messages);
  if (next !== undefined) return [...inVain, next];
  // The conversation has changed since: all that can go is left out again.
  return leaveOut(messages, inVain) === messages ? undefined : inVain;
}

/** The same list when it has nothing of these kinds. */
export function leaveOut(
  messages: readonly ModelMessage[],
  kinds: readonly LeftOutKind[],
): readonly ModelMessage[] {
  return kinds.reduce((left, kind) => WITHOUT[kind](left), messages);
}

const WITHOUT: Readonly<Record<LeftOutKind, (messages: readonly ModelMessage[]) => readonly ModelMessage[]>> =
  {
    images: (messages) => changed(messages, withoutImages),
    reasoning: (messages) => changed(messages, withoutReasoning),
    prompts: withoutUnanswered,
    calls: (messages) => changed(messages, withoutCalls),
  };

function changed(
  messages: readonly ModelMessage[],
  change: (message: ModelMessage) => ModelMessage,
): readonly ModelMessage[] {
  const after = messages.map(change);
  return after.every((message, at) => message === messages[at]) ? messages : after;
}

const IMAGE_NOTE = "[An image was left out: the provider did not take it.]";

function withoutImages(message: ModelMessage): ModelMessage {
  if (message.role === "tool" && message.images) {
    const { images, ...rest } = message;
    return { ...rest, content: [message.content, ...images.map(() => IMAGE_NOTE)].join("\n") };
  }
  if (message.role !== "user" || typeof message.content === "string") return message;
  if (message.content.every(({ type }) => type === "text")) return message;
  return { ...message, content: message.content.map(toText).join("\n") };
}

function toText(part: ModelContentPart): string {
  if (part.type === "text") return part.text;
  return part.type === "image"
    ? IMAGE_NOTE
    : `[The document ${part.name} was left out: the provider did not take it.]`;
}

function withoutReasoning(message: ModelMessage): ModelMessage {
  if (message.role !== "assistant" || !message.reasoning) return message;
  const { reasoning: _, ...rest } = message;
  return { ...rest, toolCalls: message.toolCalls.map(({ extra: __, ...call }) => call) };
}

/** The last prompt stays, with what was put behind it; earlier ones that nothing answered go. */
function withoutUnanswered(messages: readonly ModelMessage[]): readonly ModelMessage[] {
  const from = messages.findLastIndex(({ role }) => role !== "user") + 1;
  const last = messages.findLastIndex((message) => message.role === "user" && message.prompt !== "");
  const isEarlier = (message: ModelMessage, at: number) =>
    at >= from && at < last && message.role === "user" && message.prompt !== "";
  return messages.some(isEarlier) ? messages.filter((message, at) => !isEarlier(message, at)) : messages;
}

function withoutCalls(message: ModelMessage): ModelMessage {
  if (message.role === "tool")
    return { role: "user", content: `[Result of a tool]\n${message.content}`, prompt: "" };
  if (message.role !== "assistant" || message.toolCalls.length === 0) return message;
  const calls = message.toolCalls.map((call) => `[Call of the tool ${call.name}] ${call.arguments}`);
  return {
    ...message,
    content: [message.content, ...calls].filter((line) => line !== "").join("\n"),
    toolCalls: [],
  };
}
