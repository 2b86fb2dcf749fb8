/** A model's answer as the log has it, so that all that its provider wants back is there after a restart. */
import type { SessionEventDataMap } from "@rightseat/protocol";
import type { ModelAnswer, ModelMessage, ModelToolCall } from "../models/model-provider.ts";

type AnswerFields = Pick<
  SessionEventDataMap["assistant.message"],
  "reasoningText" | "reasoningOpaque" | "encryptedContent" | "reasoningWireField" | "reasoningBlocks"
>;

/** The reasoning, and whose it is: only that provider and model is sent it again. */
export function toReasoningFields({ reasoning, toolCalls }: ModelAnswer): AnswerFields {
  if (!reasoning) return {};
  const { text, opaque, encrypted, wireField, details = [], origin } = reasoning;
  const extras = toolCalls.flatMap(({ id, extra }) =>
    extra === undefined ? [] : [{ toolCallId: id, extra_content: extra }],
  );
  const blocks = [...details, ...extras] as Record<string, unknown>[];
  return {
    ...(text ? { reasoningText: text } : {}),
    ...(opaque ? { reasoningOpaque: opaque } : {}),
    ...(encrypted ? { encryptedContent: encrypted } : {}),
    ...(wireField ? { reasoningWireField: wireField } : {}),
    ...(origin ? { reasoningBlocks: { provider: origin, ...(blocks.length > 0 ? { blocks } : {}) } } : {}),
  };
}

/**
 * The answer with calls that have ids of their own in the conversation: results find their calls by them.
 * Some providers number calls anew in each answer, some give two calls of one answer the same id.
 */
export function withOwnCallIds(answer: ModelAnswer, messages: readonly ModelMessage[]): ModelAnswer {
  if (answer.toolCalls.length === 0) return answer;
  const taken = new Set<string>();
  for (const message of messages)
    if (message.role === "assistant") for (const { id } of message.toolCalls) taken.add(id);
  return { ...answer, toolCalls: answer.toolCalls.map((call) => withOwnId(call, taken)) };
}

function withOwnId(call: ModelToolCall, taken: Set<string>): ModelToolCall {
  let id = call.id;
  for (let times = 2; taken.has(id); times += 1) id = `${call.id}_${times}`;
  taken.add(id);
  return id === call.id ? call : { ...call, id };
}
