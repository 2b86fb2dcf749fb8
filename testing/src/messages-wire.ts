import type { ModelWire, PlainAnswer, ScriptedUsage } from "./scripted-reply.ts";

/** Anthropic Messages. */
export const messagesWire: ModelWire = { stream: streamMessages, whole: wholeMessages };

const event = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;

function* streamMessages(answer: PlainAnswer): Iterable<string> {
  const usage = toUsage(answer.usage);
  const message = {
    id: answer.id,
    type: "message",
    role: "assistant",
    model: answer.model,
    content: [],
    stop_reason: null,
    usage: { ...usage, output_tokens: 1 },
  };
  yield event("message_start", { message });
  yield event("ping", {});
  let index = 0;
  for (const block of toBlocks(answer)) {
    yield* streamBlock(block, index++, answer);
  }
  yield event("message_delta", {
    delta: { stop_reason: stopReason(answer), stop_sequence: null },
    usage: { output_tokens: usage.output_tokens },
  });
  yield event("message_stop", {});
}

function* streamBlock(block: Block, index: number, answer: PlainAnswer): Iterable<string> {
  const start = (content_block: object) => event("content_block_start", { index, content_block });
  const delta = (fields: object) => event("content_block_delta", { index, delta: fields });
  switch (block.type) {
    case "thinking":
      yield start({ type: "thinking", thinking: "", signature: "" });
      yield delta({ type: "thinking_delta", thinking: block.thinking });
      if (block.signature !== "") yield delta({ type: "signature_delta", signature: block.signature });
      break;
    case "redacted_thinking":
      yield start(block);
      break;
    case "text":
      yield start({ type: "text", text: "" });
      for (const text of answer.words) yield delta({ type: "text_delta", text });
      break;
    case "tool_use":
      yield start({ ...block, input: {} });
      yield delta({ type: "input_json_delta", partial_json: JSON.stringify(block.input) });
  }
  yield event("content_block_stop", { index });
}

type Block =
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "redacted_thinking"; data: string }
  | { type: "text"; text: string }
  | { type: "tool_use"; id: string; name: string; input: unknown };

function toBlocks(answer: PlainAnswer): Block[] {
  const blocks: Block[] = [];
  if (answer.reasoning !== undefined)
    blocks.push({ type: "thinking", thinking: answer.reasoning, signature: answer.reasoningOpaque ?? "" });
  else if (answer.reasoningOpaque !== undefined)
    blocks.push({ type: "redacted_thinking", data: answer.reasoningOpaque });
  if (answer.words.length > 0) blocks.push({ type: "text", text: answer.words.join("") });
  for (const call of answer.toolCalls)
    blocks.push({
      type: "tool_use",
      id: call.id,
      name: call.name,
      input: JSON.parse(call.arguments || "{}"),
    });
  return blocks;
}

function wholeMessages(answer: PlainAnswer): unknown {
  return {
    id: answer.id,
    type: "message",
    role: "assistant",
    model: answer.model,
    content: toBlocks(answer),
    stop_reason: stopReason(answer),
    usage: toUsage(answer.usage),
  };
}

function stopReason(answer: PlainAnswer): string {
  return answer.finishReason ?? (answer.toolCalls.length > 0 ? "tool_use" : "end_turn");
}

/** `input_tokens` leaves out what came from or went to the cache, as Anthropic counts. */
function toUsage(usage: ScriptedUsage | undefined) {
  const cached = (usage?.cacheReadTokens ?? 0) + (usage?.cacheWriteTokens ?? 0);
  return {
    input_tokens: (usage?.inputTokens ?? 0) - cached,
    output_tokens: usage?.outputTokens ?? 0,
    cache_read_input_tokens: usage?.cacheReadTokens ?? 0,
    cache_creation_input_tokens: usage?.cacheWriteTokens ?? 0,
  };
}
