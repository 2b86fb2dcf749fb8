/** How full the model's context is, and how full it may be. */
import type { ModelMessage, ModelTool } from "../models/model-provider.ts";
import type { ActiveModel } from "./run-host.ts";
import { tokensOfMessages, tokensOfText, tokensOfTools } from "./tokens.ts";

/** What the provider counted for a call: the tokens, and how many messages they stand for. */
export interface CountedContext {
  readonly tokens: number;
  readonly messages: number;
}

export interface ContextParts {
  readonly system: string;
  readonly tools: readonly ModelTool[];
  readonly messages: readonly ModelMessage[];
  /** Left out where the provider has counted nothing, or something else than this context. */
  readonly counted?: CountedContext;
}

export interface ContextUse {
  readonly systemTokens: number;
  readonly conversationTokens: number;
  readonly toolDefinitionsTokens: number;
  /** As the provider counts, as far as that is known; the parts are estimates and may not add up to it. */
  readonly currentTokens: number;
}

export function measureContext({ system, tools, messages, counted }: ContextParts): ContextUse {
  const systemTokens = tokensOfText(system);
  const toolDefinitionsTokens = tokensOfTools(tools);
  const conversationTokens = tokensOfMessages(messages);
  const estimated = systemTokens + toolDefinitionsTokens + conversationTokens;
  return {
    systemTokens,
    conversationTokens,
    toolDefinitionsTokens,
    currentTokens: currentTokens(estimated, messages, counted),
  };
}

function currentTokens(estimated: number, messages: readonly ModelMessage[], counted?: CountedContext) {
  if (!counted || counted.messages > messages.length) return estimated;
  const known = counted.tokens + tokensOfMessages(messages, counted.messages);
  // Some compatible servers count only what they had not cached: less than half is no count of it all.
  return known < estimated / 2 ? estimated : known;
}

/** Tokens that a request to the model may have; what its answer needs of the window is kept free. */
export function promptLimit(
  model: Pick<ActiveModel, "maxPromptTokens" | "contextWindowTokens" | "maxOutputTokens">,
): number {
  const { maxPromptTokens, contextWindowTokens, maxOutputTokens = 0 } = model;
  return (
    maxPromptTokens ?? contextWindowTokens - Math.min(maxOutputTokens, Math.floor(contextWindowTokens / 2))
  );
}
