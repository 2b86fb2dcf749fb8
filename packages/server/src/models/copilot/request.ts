import type { ModelRequest } from "../model-provider.ts";
import { toChatBody } from "../openai-chat/request.ts";
import { chooseChatSpelling } from "../openai-chat/spelling.ts";

/** Chat Completions with GitHub's reasoning fields, and only with reasoning that is GitHub's. */
export function toCopilotChatBody(request: ModelRequest, baseUrl: string): Uint8Array {
  const spelling = chooseChatSpelling("copilot", baseUrl, request.model);
  return toChatBody(request, { maxTokensField: "max_tokens", spelling });
}
