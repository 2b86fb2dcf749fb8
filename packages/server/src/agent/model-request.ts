/** Requests to models: one place knows which fields of a model and a conversation make a request. */
import type { ModelMessage, ModelRequest } from "../models/model-provider.ts";
import { measureContext, promptLimit } from "./context-use.ts";
import type { ContextCall } from "./run-host.ts";
import { applyTruncation, planTruncation } from "./truncate-messages.ts";
import { visibleMessages } from "./visible-messages.ts";

type Asked = Pick<ContextCall, "model" | "system" | "tools">;

/** Whatever it is for, the model is sent only what it can take of the messages. */
export function toModelRequest(
  { model, system, tools }: Asked,
  messages: readonly ModelMessage[],
  more: Partial<ModelRequest> = {},
): ModelRequest {
  return {
    model: model.wireModel,
    system,
    messages: visibleMessages(messages, model),
    tools,
    stream: true,
    maxOutputTokens: model.maxOutputTokens,
    reasoningEffort: model.reasoningEffort,
    reasoningSummary: model.reasoningSummary,
    ...more,
  };
}

/**
 * The conversation with a question behind it that is none of it. It begins as every other call of the session does, so
 * that the provider's cache serves it, and is shortened when it leaves the question no room.
 * @param maxTokens of the conversation; default what the model takes besides the rest.
 */
export function toQuestionRequest(
  asked: Asked,
  messages: readonly ModelMessage[],
  question: string,
  maxTokens: number = roomBeside(asked, question),
): ModelRequest {
  const plan = planTruncation(messages, maxTokens);
  const shortened = plan ? applyTruncation(messages, plan) : messages;
  return toModelRequest(asked, [...shortened, { role: "user", content: question }]);
}

/** How many tokens of a conversation the model takes beside a question. */
export function roomBeside({ model, system, tools }: Asked, question: string): number {
  const around = measureContext({ system, tools, messages: [{ role: "user", content: question }] });
  return promptLimit(model) - around.currentTokens;
}
