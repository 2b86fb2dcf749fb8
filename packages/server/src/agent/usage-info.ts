/** How full the model's context is after a call. */
import type { SessionEventDataMap } from "@rightseat/protocol";
import type { ModelMessage, ModelUsage } from "../models/model-provider.ts";
import { measureContext, promptLimit } from "./context-use.ts";
import type { ContextCall } from "./run-host.ts";

/** @param messages the conversation, with the answer. */
export function usageInfo(
  messages: readonly ModelMessage[],
  { model, system, tools }: ContextCall,
  usage: ModelUsage | undefined,
): SessionEventDataMap["session.usage_info"] {
  // Some compatible servers report zeros.
  const tokens = usage ? usage.inputTokens + usage.outputTokens : 0;
  const counted = tokens > 0 ? { tokens, messages: messages.length } : undefined;
  const { currentTokens, ...parts } = measureContext({ system, tools, messages, counted });
  return { tokenLimit: promptLimit(model), currentTokens, messagesLength: messages.length, ...parts };
}
