import type { ModelAnswer } from "../model-provider.ts";
import { GITHUB_OPAQUE_PREFIX } from "../openai-chat/assistant-message.ts";
import { ChatAnswerReader } from "../openai-chat/stream.ts";

/** Chat Completions whose opaque reasoning is marked as GitHub's. */
export class CopilotChatAnswerReader extends ChatAnswerReader {
  override finish(): ModelAnswer {
    const answer = super.finish();
    const opaque = answer.reasoning?.opaque;
    if (opaque === undefined) return answer;
    return { ...answer, reasoning: { ...answer.reasoning, opaque: `${GITHUB_OPAQUE_PREFIX}${opaque}` } };
  }
}
