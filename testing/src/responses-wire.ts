import type { ModelWire, PlainAnswer, ScriptedUsage } from "./scripted-reply.ts";

/** OpenAI Responses. */
export const responsesWire: ModelWire = { stream: streamResponses, whole: (answer) => wholeResponse(answer) };

type Item = { readonly type: string; readonly id: string } & Record<string, unknown>;

function* streamResponses(answer: PlainAnswer): Iterable<string> {
  let sequence_number = 0;
  const event = (type: string, fields: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence_number++, ...fields })}\n\n`;
  const final = wholeResponse(answer);
  yield event("response.created", { response: { ...final, status: "in_progress", output: [], usage: null } });
  for (const [output_index, item] of toItems(answer).entries()) {
    yield event("response.output_item.added", { output_index, item: { ...item, ...emptied(item) } });
    const at = { output_index, item_id: item.id };
    for (const [type, fields] of toDeltas(item, answer)) yield event(type, { ...at, ...fields });
    yield event("response.output_item.done", { output_index, item });
  }
  yield event(answer.finishReason === undefined ? "response.completed" : "response.incomplete", {
    response: final,
  });
}

function emptied(item: Item): Record<string, unknown> {
  if (item.type === "message") return { status: "in_progress", content: [] };
  if (item.type === "function_call") return { status: "in_progress", arguments: "" };
  return { summary: [], encrypted_content: null };
}

function* toDeltas(item: Item, answer: PlainAnswer): Iterable<readonly [string, Record<string, unknown>]> {
  if (item.type === "reasoning" && answer.reasoning !== undefined) {
    yield ["response.reasoning_summary_text.delta", { summary_index: 0, delta: answer.reasoning }];
    yield ["response.reasoning_summary_text.done", { summary_index: 0, text: answer.reasoning }];
  } else if (item.type === "message") {
    yield [
      "response.content_part.added",
      { content_index: 0, part: { type: "output_text", text: "", annotations: [] } },
    ];
    for (const delta of answer.words) yield ["response.output_text.delta", { content_index: 0, delta }];
    yield ["response.output_text.done", { content_index: 0, text: answer.words.join("") }];
  } else if (item.type === "function_call") {
    yield ["response.function_call_arguments.delta", { delta: item["arguments"] }];
    yield ["response.function_call_arguments.done", { arguments: item["arguments"] }];
  }
}

function toItems(answer: PlainAnswer): Item[] {
  const items: Item[] = [];
  if (answer.reasoning !== undefined || answer.reasoningOpaque !== undefined) {
    const summary = answer.reasoning === undefined ? [] : [{ type: "summary_text", text: answer.reasoning }];
    items.push({
      type: "reasoning",
      id: `rs_${answer.id}`,
      summary,
      encrypted_content: answer.reasoningOpaque ?? null,
    });
  }
  if (answer.words.length > 0) {
    const content = [{ type: "output_text", text: answer.words.join(""), annotations: [] }];
    items.push({ type: "message", id: `msg_${answer.id}`, role: "assistant", status: "completed", content });
  }
  for (const call of answer.toolCalls) {
    items.push({
      type: "function_call",
      id: `fc_${call.id}`,
      call_id: call.id,
      name: call.name,
      arguments: call.arguments,
      status: "completed",
    });
  }
  return items;
}

function wholeResponse(answer: PlainAnswer) {
  return {
    id: answer.id,
    object: "response",
    created_at: 1,
    status: answer.finishReason === undefined ? "completed" : "incomplete",
    incomplete_details: answer.finishReason === undefined ? null : { reason: answer.finishReason },
    model: answer.model,
    output: toItems(answer),
    usage: answer.usage === undefined ? null : toUsage(answer.usage),
  };
}

function toUsage(usage: ScriptedUsage) {
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    input_tokens_details: { cached_tokens: usage.cacheReadTokens ?? 0 },
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
  };
}
