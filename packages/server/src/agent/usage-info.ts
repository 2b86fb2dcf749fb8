/** How full the model's context is after a call. */
import type { SessionEventDataMap } from "@rightseat/protocol";
import type { ModelAnswer, ModelMessage } from "../models/model-provider.ts";
import type { ActiveModel, RunHost } from "./run-host.ts";

/** About four characters a token; used where the provider counted nothing. */
export function estimateTokens(characters: number): number {
  return Math.ceil(characters / 4);
}

export interface UsageInfoInput {
  readonly host: RunHost;
  readonly model: ActiveModel;
  readonly system: string;
  readonly answer: ModelAnswer;
}

export function usageInfo({
  host,
  model,
  system,
  answer,
}: UsageInfoInput): SessionEventDataMap["session.usage_info"] {
  const messages = host.messages();
  // Some compatible servers report zeros.
  const counted = answer.usage ? answer.usage.inputTokens + answer.usage.outputTokens : 0;
  return {
    tokenLimit: model.maxPromptTokens ?? model.contextWindowTokens,
    currentTokens:
      counted ||
      estimateTokens(system.length + messages.reduce((sum, message) => sum + lengthOf(message), 0)),
    messagesLength: messages.length,
    systemTokens: estimateTokens(system.length),
  };
}

function lengthOf(message: ModelMessage): number {
  if (typeof message.content === "string") return message.content.length;
  return message.content.reduce((sum, part) => sum + (part.type === "text" ? part.text.length : 0), 0);
}
