import type { ModelWire, PlainAnswer, ScriptedUsage } from "./scripted-reply.ts";

/** OpenAI Chat Completions, with the reasoning fields that GitHub's API and compatible servers add. */
export const chatWire: ModelWire = { stream: streamChat, whole: wholeChat };

function* streamChat(answer: PlainAnswer): Iterable<string> {
  const head = { id: answer.id, object: "chat.completion.chunk", created: 1, model: answer.model };
  const chunk = (delta: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  if (answer.reasoning !== undefined) yield chunk({ role: "assistant", reasoning_content: answer.reasoning });
  if (answer.reasoningOpaque !== undefined) yield chunk({ reasoning_opaque: answer.reasoningOpaque });
  for (const content of answer.words) yield chunk({ role: "assistant", content });
  for (const [index, call] of answer.toolCalls.entries()) {
    yield chunk({
      tool_calls: [{ index, id: call.id, type: "function", function: { name: call.name, arguments: "" } }],
    });
    yield chunk({ tool_calls: [{ index, function: { arguments: call.arguments } }] });
  }
  yield chunk({}, finishReason(answer));
  if (answer.usage !== undefined)
    yield `data: ${JSON.stringify({ ...head, choices: [], usage: toUsage(answer.usage) })}\n\n`;
  yield "data: [DONE]\n\n";
}

function wholeChat(answer: PlainAnswer): unknown {
  const message = {
    role: "assistant",
    content: answer.words.length > 0 ? answer.words.join("") : null,
    ...(answer.reasoning !== undefined && { reasoning_content: answer.reasoning }),
    ...(answer.reasoningOpaque !== undefined && { reasoning_opaque: answer.reasoningOpaque }),
    ...(answer.toolCalls.length > 0 && {
      tool_calls: answer.toolCalls.map(({ id, name, arguments: text }) => ({
        id,
        type: "function",
        function: { name, arguments: text },
      })),
    }),
  };
  return {
    id: answer.id,
    object: "chat.completion",
    created: 1,
    model: answer.model,
    choices: [{ index: 0, finish_reason: finishReason(answer), message }],
    ...(answer.usage !== undefined && { usage: toUsage(answer.usage) }),
  };
}

function finishReason(answer: PlainAnswer): string {
  return answer.finishReason ?? (answer.toolCalls.length > 0 ? "tool_calls" : "stop");
}

function toUsage(usage: ScriptedUsage) {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    ...(usage.cacheReadTokens !== undefined && {
      prompt_tokens_details: { cached_tokens: usage.cacheReadTokens },
    }),
    ...(usage.reasoningTokens !== undefined && {
      completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    }),
  };
}
