/**
 * What the log's lines about the context do to the state: compactions, truncations. Part of the
 * projection; pure apart from the state it is given.
 *
 * A compaction is two events. `session.compaction_start` fixes which messages the summary will stand
 * for; whatever is said until it is there comes after them. `session.compaction_complete` puts the
 * summary in their place. Between the two the context is the old one, so a crash in between costs the
 * summary and nothing else.
 */
import { cutText } from "@rightseat/protocol";
import { isSummary, summaryMessage } from "../../agent/compaction-summary.ts";
import { withoutTime } from "../../agent/prompt-time.ts";
import { tokensOfMessage } from "../../agent/tokens.ts";
import { applyTruncation, type TruncationPlan } from "../../agent/truncate-messages.ts";
import type { ModelMessage } from "../../models/model-provider.ts";
import type { ConversationState } from "./session-state.ts";

/** A last round of tool calls up to this size is kept word for word: the model is about to use it. */
const KEPT_ROUND_TOKENS = 2_000;
/** What is kept of the prompts that were summarised, to be repeated beside the summary: so much of the window, */
const PROMPTS_SHARE = 0.1;
/** and at most so many characters, */
const PROMPTS_CHARACTERS = 32_000;
/** of each prompt no more than this part of them. */
const PROMPT_SHARE = 1 / 8;
const CHARACTERS_PER_TOKEN = 4;

/**
 * After a compaction the context has to grow by this share of the window before another one begins by
 * itself: where system message and tools alone are past the threshold, each turn would compact again.
 */
const REST_AFTER_SUCCESS = 0.1;
const REST_AFTER_FAILURE = 0.05;

export function foldCompactionStart(state: ConversationState): void {
  state.compaction = { cut: cutOf(state) };
}

// biome-ignore lint/suspicious/noExplicitAny: logs of other versions hold any shape
export function foldCompactionComplete(state: ConversationState, data: any): void {
  const cut = state.compaction?.cut ?? state.messages.length;
  state.compaction = undefined;
  const summary: unknown = data.summaryContent;
  const done = data.success === true && typeof summary === "string";
  const tokens: unknown = done ? data.postCompactionTokens : data.preCompactionTokens;
  if (typeof tokens === "number" && typeof data.tokenLimit === "number")
    state.compactAgainAt = tokens + data.tokenLimit * (done ? REST_AFTER_SUCCESS : REST_AFTER_FAILURE);
  if (!done) return;
  const tokenLimit = typeof data.tokenLimit === "number" ? data.tokenLimit : undefined;
  const compacted = compactedContext(state, { cut, summary, tokenLimit });
  state.summarisedPrompts = compacted.prompts;
  replaceMessages(state, compacted.messages);
  state.compactions = (state.compactions ?? 0) + 1;
}

export interface SummarisedPart {
  /** The messages before this position are what the summary stands for. */
  readonly cut: number;
  readonly summary: string;
  /** The size of the model's window in tokens; undefined when it is not known. */
  readonly tokenLimit?: number;
}

/** What the context is once a part of it is summarised. */
export function compactedContext(
  state: Pick<ConversationState, "messages" | "summarisedPrompts">,
  { cut, summary, tokenLimit = Number.POSITIVE_INFINITY }: SummarisedPart,
): { messages: ModelMessage[]; prompts: string[] } {
  const room = Math.min(PROMPTS_CHARACTERS, tokenLimit * CHARACTERS_PER_TOKEN * PROMPTS_SHARE);
  const prompts = bounded(
    [...(state.summarisedPrompts ?? []), ...state.messages.slice(0, cut).flatMap(promptOf)],
    Math.floor(room),
  );
  return { messages: [summaryMessage(prompts, summary), ...state.messages.slice(cut)], prompts };
}

export function foldTruncation(state: ConversationState, plan: TruncationPlan): void {
  // Positions have changed: a summary on its way would stand for other messages than it was made of.
  state.compaction = undefined;
  replaceMessages(state, applyTruncation(state.messages, plan));
}

export function foldContextCleared(state: ConversationState): void {
  state.compaction = undefined;
  state.summarisedPrompts = undefined;
  state.compactAgainAt = undefined;
  state.openToolCalls = [];
  state.heldContext = undefined;
  replaceMessages(state, []);
}

/** A new array, never the old one changed: a model call that is under way holds the old one. */
function replaceMessages(state: ConversationState, messages: ModelMessage[]): void {
  state.messages = messages;
  state.counted = undefined;
}

/** Messages that a summary may take the place of: whole exchanges, never a call without its results. */
function cutOf({ messages, openToolCalls }: ConversationState): number {
  const open = new Set(openToolCalls.map((call) => call.toolCallId));
  const calls = (message: ModelMessage) =>
    message.role === "assistant" && message.toolCalls.some((call) => open.has(call.id));
  const firstOpen = open.size > 0 ? messages.findIndex(calls) : -1;
  const end = firstOpen < 0 ? messages.length : firstOpen;
  let round = end - 1;
  let tokens = 0;
  while (round > 0 && messages[round]?.role === "tool")
    tokens += tokensOfMessage(messages[round--] as ModelMessage);
  const isRound = round > 0 && round < end - 1 && messages[round]?.role === "assistant";
  return isRound && tokens <= KEPT_ROUND_TOKENS ? round : end;
}

/** What a user asked in it; summaries and what others put into the conversation are no prompts. */
function promptOf(message: ModelMessage): string[] {
  if (message.role !== "user" || isSummary(message)) return [];
  const text = message.prompt ?? (typeof message.content === "string" ? withoutTime(message.content) : "");
  return text === "" ? [] : [text];
}

/** The first, which says what it is all about, and the latest that there is room for. */
function bounded(prompts: readonly string[], characters: number): string[] {
  const most = Math.floor(characters * PROMPT_SHARE);
  const cut = prompts.map((prompt) => (prompt.length > most ? `${cutText(prompt, most)}…` : prompt));
  const total = cut.reduce((sum, prompt) => sum + prompt.length, 0);
  if (total <= characters) return cut;
  const [first = "", ...others] = cut;
  let room = characters - first.length;
  const from = others.findLastIndex((prompt) => (room -= prompt.length) < 0) + 1;
  return [first, ...others.slice(from)];
}
