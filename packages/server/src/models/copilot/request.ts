import type { ModelMessage, ModelReasoning, ModelRequest } from "../model-provider.ts";
import { type ChatDialect, toChatBody } from "../openai-chat/request.ts";

/** Marks opaque reasoning as GitHub's in a session's log: another provider must not be sent it. */
export const GITHUB_OPAQUE_PREFIX = "github:";

const DIALECT: ChatDialect = { maxTokensField: "max_tokens", sendsReasoningBack: true };

/** Chat Completions with GitHub's reasoning fields, and only with reasoning that is GitHub's. */
export function toCopilotChatBody(request: ModelRequest): Record<string, unknown> {
  return toChatBody({ ...request, messages: request.messages.map(withOwnReasoning) }, DIALECT);
}

function withOwnReasoning(message: ModelMessage): ModelMessage {
  if (message.role !== "assistant" || message.reasoning === undefined) return message;
  return { ...message, reasoning: toOwnReasoning(message.reasoning) };
}

function toOwnReasoning(reasoning: ModelReasoning): ModelReasoning | undefined {
  if (!reasoning.opaque?.startsWith(GITHUB_OPAQUE_PREFIX)) return undefined;
  return { text: reasoning.text, opaque: reasoning.opaque.slice(GITHUB_OPAQUE_PREFIX.length) };
}
