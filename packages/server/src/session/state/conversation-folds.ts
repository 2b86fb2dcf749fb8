/** What was said and done: the model's context, the run, and the tool calls that are open. A rewind takes it back. */
import { toJson } from "@rightseat/protocol";
import { leaveOut } from "../../agent/leave-out.ts";
import { withoutTime } from "../../agent/prompt-time.ts";
import { tokensOfText } from "../../agent/tokens.ts";
import type { TruncationPlan } from "../../agent/truncate-messages.ts";
import type { ModelMessage, ModelReasoning, ResponseFormat } from "../../models/model-provider.ts";
import {
  foldCompactionComplete,
  foldCompactionStart,
  foldContextCleared,
  foldTruncation,
} from "./context-state.ts";
import { type Data, type Folds, type LoggedEvent, takenBack, text, toMode } from "./fold.ts";
import { dequeue, rememberMessage, withoutSteering } from "./queue-folds.ts";
import type { ConversationState, OpenToolCall } from "./session-state.ts";
import { takeParts, takeToolImages } from "./shown-images.ts";
import { foldSummaryOwner } from "./stray-summaries.ts";

export const CONVERSATION_FOLDS: Folds<ConversationState> = {
  "session.context_cleared": takenBack(foldContextCleared),
  "session.compaction_start": takenBack(foldCompactionStart),
  "session.compaction_complete": takenBack(
    (state, data) => {
      foldSummaryOwner(state, data, false);
      foldCompactionComplete(state, data);
    },
    (state, data) => foldSummaryOwner(state, data, true),
  ),
  "session.shutdown": takenBack((state) => {
    state.running = undefined;
  }),
  "system.message": takenBack((state, data) => {
    state.systemMessageHash = text(data.metadata?.variables?.sha256);
    state.systemTokens = tokensOfText(text(data.content) ?? "");
  }),
  "user.message": takenBack(foldUserMessage, dequeue),
  "assistant.turn_start": takenBack((state) => {
    state.turns += 1;
    if (state.running) state.running.turn += 1;
  }),
  "assistant.message": takenBack(foldAssistantMessage),
  "tool.execution_start": takenBack((state, data) => {
    const call = findCall(state, data.toolCallId);
    if (call) call.started = true;
  }),
  "tool.execution_complete": takenBack(foldToolResult, endUserCall),
  "permission.requested": takenBack((state, data) => {
    const call = findCall(state, data.permissionRequest?.toolCallId);
    if (call) call.permissionRequestId = text(data.requestId);
  }),
  "permission.completed": takenBack((state, data) => {
    const call = state.openToolCalls.find((open) => open.permissionRequestId === data.requestId);
    if (!call) return;
    call.permissionRequestId = undefined;
    call.permitted = typeof data.result?.kind === "string" && data.result.kind.startsWith("approved");
  }),
  "external_tool.requested": takenBack((state, data) => {
    const call = findCall(state, data.toolCallId);
    if (call) call.externalRequestId = text(data.requestId);
  }),
  "tool_search.activated": takenBack((state, data) => {
    if (!Array.isArray(data.toolNames)) return;
    const names = data.toolNames.filter((name: unknown): name is string => typeof name === "string");
    state.activatedTools = [...new Set<string>([...(state.activatedTools ?? []), ...names])];
  }),
  "rightseat.question_asked": takenBack((state, data) => {
    const call = findCall(state, data.toolCallId);
    if (call) call.questionRequestId = text(data.requestId);
  }),
  "rightseat.run_ended": takenBack((state) => {
    state.running = undefined;
    state.queue = withoutSteering(state.queue);
  }),
  "rightseat.message_parts": takenBack((state, data) => {
    const last = state.messages.at(-1);
    if (last?.role === "user")
      state.messages[state.messages.length - 1] = { ...last, content: takeParts(data.parts) };
  }),
  "rightseat.context_added": takenBack((state, data) => {
    const content = text(data.content);
    if (content === undefined) return;
    // Between a tool call and its result nothing else may stand.
    if (state.openToolCalls.length > 0) (state.heldContext ??= []).push(content);
    else state.messages.push({ role: "user", content, prompt: "" });
  }),
  "rightseat.call_changed": takenBack(foldCallChange),
  "rightseat.left_out": takenBack((state, data) => {
    const left = leaveOut(state.messages, data.kinds);
    if (left === state.messages) return;
    state.messages = [...left];
    state.counted = undefined;
  }),
  "rightseat.response_format": takenBack((state, data) => {
    if (state.running) state.running.responseFormat = data.responseFormat as ResponseFormat;
  }),
  "rightseat.truncated": takenBack((state, data) => foldTruncation(state, data as TruncationPlan)),
  "rightseat.client_tools": takenBack((state, data) => {
    state.clientTools = { offered: data.offered, gone: data.gone };
  }),
  "system.notification": takenBack((state, data) => {
    const content = text(data.content);
    // Others are for people alone.
    if (content?.startsWith("<system_notification>")) state.messages.push({ role: "user", content });
  }),
  "rightseat.notified": takenBack((state, data) => {
    dequeue(state, data);
    if (data.steering === true) return;
    state.running = { messageId: text(data.messageId) ?? "", turn: 0 };
  }, dequeue),
};

function foldUserMessage(state: ConversationState, data: Data, { id }: LoggedEvent): void {
  const messageId = dequeue(state, data);
  rememberMessage(state, messageId);
  const modelContent = data.transformedContent ?? data.content;
  const content = typeof modelContent === "string" ? modelContent : "";
  const prompt = data.source === undefined || data.source === "user" ? text(data.content) : "";
  const written = prompt !== undefined && prompt !== withoutTime(content) ? { prompt } : {};
  state.messages.push({ role: "user", content, ...written });
  if (data.delivery === "steering") {
    if (data.isAutopilotContinuation === true && state.running)
      state.running.nudges = (state.running.nudges ?? 0) + 1;
    return;
  }
  state.userRequests += 1;
  const agentMode = toMode(data.agentMode);
  const eventId = id === undefined ? {} : { eventId: id };
  state.running = { messageId: messageId ?? "", ...eventId, turn: 0, ...(agentMode ? { agentMode } : {}) };
}

function foldAssistantMessage(state: ConversationState, data: Data): void {
  const requests: Data[] = Array.isArray(data.toolRequests) ? data.toolRequests : [];
  const extras = new Map(
    blocksOf(data)
      .filter(isExtra)
      .map(({ toolCallId, extra_content }) => [toolCallId, extra_content] as const),
  );
  const toolCalls = requests.map((request) => ({
    id: String(request.toolCallId),
    ...(extras.has(request.toolCallId) ? { extra: extras.get(request.toolCallId) } : {}),
    name: String(request.name),
    arguments: typeof request.arguments === "string" ? request.arguments : toJson(request.arguments ?? {}),
  }));
  const message: ModelMessage = {
    role: "assistant",
    content: text(data.content) ?? "",
    toolCalls: toolCalls.map((call, index) =>
      isArguments(requests[index]?.arguments)
        ? call
        : { ...call, arguments: toJson({ invalid_json: call.arguments }) },
    ),
    reasoning: reasoningOf(data),
  };
  state.messages.push(message);
  if (toolCalls.length > 0 && state.running?.nudges) state.running.nudges = 0;
  for (const call of toolCalls) {
    const open: OpenToolCall = { toolCallId: call.id, name: call.name, arguments: call.arguments };
    state.openToolCalls.push(open);
  }
}

/** A provider that reads the conversation parses them, and refuses it for ever when it cannot. */
function isArguments(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "object" && !Array.isArray(value));
}

function foldToolResult(state: ConversationState, data: Data): void {
  endUserCall(state, data);
  const toolCallId = text(data.toolCallId);
  const open = state.openToolCalls.findIndex((call) => call.toolCallId === toolCallId);
  // A result without a call (user-requested, or given twice) is history, not conversation.
  if (toolCallId === undefined || open < 0) return;
  state.openToolCalls.splice(open, 1);
  const failed = data.success === false;
  const content = text(data.result?.content) ?? text(data.error?.message) ?? "";
  const { images, notes } = takeToolImages(data.result?.binaryResultsForLlm);
  placeResult(state.messages, {
    role: "tool",
    toolCallId,
    content: [content, ...notes].filter((line) => line !== "").join("\n"),
    ...(images.length > 0 ? { images } : {}),
    ...(failed ? { isError: true } : {}),
  });
  if (state.heldContext && state.openToolCalls.length === 0) {
    for (const held of state.heldContext) state.messages.push({ role: "user", content: held, prompt: "" });
    state.heldContext = undefined;
  }
}

/** A command that a person ran has ended, whatever becomes of the conversation around it. */
function endUserCall(state: ConversationState, data: Data): void {
  if (data.isUserRequested !== true || !state.userToolCalls) return;
  state.userToolCalls = state.userToolCalls.filter((id) => id !== data.toolCallId);
}

/**
 * Calls that ran at the same time end in any order; the model reads their results in the order it asked,
 * so that one conversation is one request, however its tools raced.
 */
function placeResult(messages: ModelMessage[], result: Extract<ModelMessage, { role: "tool" }>): void {
  const asked = messages.findLast((message) => message.role === "assistant");
  const order = (asked?.role === "assistant" ? asked.toolCalls : []).map(({ id }) => id);
  const own = order.indexOf(result.toolCallId);
  let at = messages.length;
  for (let other = messages[at - 1]; other?.role === "tool"; other = messages[at - 1]) {
    if (order.indexOf(other.toolCallId) <= own) break;
    at -= 1;
  }
  messages.splice(at, 0, result);
}

/** The model reads a call as it was run. */
function foldCallChange(state: ConversationState, data: Data): void {
  const call = findCall(state, data.toolCallId);
  const changed = text(data.arguments);
  if (!call || changed === undefined) return;
  call.arguments = changed;
  const at = state.messages.findLastIndex((message) => message.role === "assistant");
  const asked = state.messages[at];
  if (asked?.role !== "assistant" || !asked.toolCalls) return;
  const toolCalls = asked.toolCalls.map((one) =>
    one.id === call.toolCallId ? { ...one, arguments: changed } : one,
  );
  state.messages[at] = { ...asked, toolCalls };
}

function reasoningOf(data: Data): ModelReasoning | undefined {
  const origin = text(data.reasoningBlocks?.provider);
  const details = blocksOf(data).filter((block) => !isExtra(block));
  const wireField = text(data.reasoningWireField);
  const reasoning: ModelReasoning = {
    text: text(data.reasoningText),
    opaque: text(data.reasoningOpaque),
    encrypted: text(data.encryptedContent),
    ...(details.length > 0 ? { details } : {}),
    ...(wireField !== undefined ? { wireField } : {}),
    ...(origin !== undefined ? { origin } : {}),
  };
  return (reasoning.text ?? reasoning.opaque ?? reasoning.encrypted ?? origin) ? reasoning : undefined;
}

interface CallExtra {
  readonly toolCallId: string;
  readonly extra_content: unknown;
}

function blocksOf(data: Data): readonly unknown[] {
  const blocks: unknown = data.reasoningBlocks?.blocks;
  return Array.isArray(blocks) ? blocks : [];
}

/** What a provider put beside a call; other blocks are its reasoning. */
function isExtra(block: unknown): block is CallExtra {
  return typeof block === "object" && block !== null && "toolCallId" in block && "extra_content" in block;
}

function findCall(state: ConversationState, toolCallId: unknown): OpenToolCall | undefined {
  return state.openToolCalls.find((call) => call.toolCallId === toolCallId);
}
