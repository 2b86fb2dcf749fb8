import type { ConcededRequest } from "../concessions.ts";
import type { ModelRequest } from "../model-provider.ts";
import type { ChatParts } from "../openai-chat/concessions.ts";
import { toChatBody } from "../openai-chat/request.ts";
import { chooseChatSpelling } from "../openai-chat/spelling.ts";

/** Chat Completions with GitHub's reasoning fields, and only with reasoning that is GitHub's. */
export function toCopilotChatBody(
  request: ModelRequest,
  baseUrl: string,
  conceded: ConcededRequest<ChatParts>,
): Uint8Array {
  const spelling = chooseChatSpelling("copilot", baseUrl, request.model);
  return toChatBody(request, { maxTokensField: "max_tokens", spelling }, conceded);
}
