import type { ModelReasoning, ModelRequest } from "../model-provider.ts";
import { type ChatDialect, createChatEncoder, toChatBody } from "../openai-chat/request.ts";

/** Marks opaque reasoning as GitHub's in a session's log: another provider must not be sent it. */
export const GITHUB_OPAQUE_PREFIX = "github:";

const DIALECT: ChatDialect = {
  maxTokensField: "max_tokens",
  conversations: createChatEncoder(toOwnReasoning),
};

/** Chat Completions with GitHub's reasoning fields, and only with reasoning that is GitHub's. */
export function toCopilotChatBody(request: ModelRequest): Uint8Array {
  return toChatBody(request, DIALECT);
}

function toOwnReasoning(reasoning: ModelReasoning): ModelReasoning | undefined {
  if (!reasoning.opaque?.startsWith(GITHUB_OPAQUE_PREFIX)) return undefined;
  return { text: reasoning.text, opaque: reasoning.opaque.slice(GITHUB_OPAQUE_PREFIX.length) };
}
