import { setImmediate } from "node:timers/promises";
import {
  type ModelAnswer,
  ModelError,
  type ModelEvent,
  type ModelProvider,
  type ModelRequest,
  type ModelUsage,
} from "../model-provider.ts";
import { answerByRules, type DemoAnswer } from "./rules.ts";

/** The id of the built-in model. */
export const DEMO_MODEL_ID = "demo";

/**
 * The built-in demo model: needs no key and no network, and says that it is rule-based. It streams word
 * by word and calls tools like any other, so that an application can be built and shown without an
 * account. The same conversation gets the same answer.
 */
export function createDemoProvider(): ModelProvider {
  return {
    name: "demo",
    generate,
    listModels: async () => [
      {
        id: DEMO_MODEL_ID,
        name: "Demo (rule-based, no language model)",
        contextWindowTokens: 128_000,
        maxOutputTokens: 16_000,
        supportsVision: false,
        supportsReasoningEffort: false,
      },
    ],
  };
}

async function* generate(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent, void, void> {
  signal.throwIfAborted();
  if (request.responseFormat !== undefined)
    throw new ModelError(
      "invalid-request",
      "The demo model cannot give structured output (responseFormat): send the prompt without it, or choose another model.",
    );
  const answer = toModelAnswer(request, answerByRules(request));
  if (answer.content !== "") {
    const words = request.stream
      ? (answer.content.match(/\s*\S+\s*/g) ?? [answer.content])
      : [answer.content];
    for (const delta of words) {
      // Lets others run between words: a stream that arrives within one tick is none.
      await setImmediate();
      signal.throwIfAborted();
      yield { type: "text", delta };
    }
  }
  for (const [index, call] of answer.toolCalls.entries()) {
    signal.throwIfAborted();
    yield { type: "tool-call", index, id: call.id, name: call.name, delta: call.arguments };
  }
  yield { type: "answer", answer };
}

function toModelAnswer(request: ModelRequest, answer: DemoAnswer): ModelAnswer {
  const content = "text" in answer ? answer.text : "";
  const firstId = request.messages.reduce(
    (count, message) => count + (message.role === "assistant" ? message.toolCalls.length : 0),
    0,
  );
  const toolCalls =
    "calls" in answer
      ? answer.calls.map((call, index) => ({ id: `demo_call_${firstId + index + 1}`, ...call }))
      : [];
  return {
    content,
    toolCalls,
    finishReason: toolCalls.length > 0 ? "tool-calls" : "stop",
    usage: countUsage(request, content + toolCalls.map((call) => call.name + call.arguments).join("")),
    model: DEMO_MODEL_ID,
  };
}

/** A rough count: four characters a token, images left out. */
function countUsage(request: ModelRequest, output: string): ModelUsage {
  const said = request.messages.reduce((size, message) => {
    if (typeof message.content === "string") return size + message.content.length;
    return (
      size + message.content.reduce((sum, part) => sum + (part.type === "text" ? part.text.length : 0), 0)
    );
  }, request.system.length);
  const tools = request.tools.length === 0 ? 0 : JSON.stringify(request.tools).length;
  return { inputTokens: Math.ceil((said + tools) / 4), outputTokens: Math.ceil(output.length / 4) };
}
