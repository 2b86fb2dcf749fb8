/**
 * Folds one line of the log into the session's state. Pure apart from the state it is given; knows
 * every event that matters to the runtime and carries the others.
 */

import { toJson } from "@rightseat/protocol";
import { leaveOut } from "../../agent/leave-out.ts";
import { withoutTime } from "../../agent/prompt-time.ts";
import { tokensOfText } from "../../agent/tokens.ts";
import type { TruncationPlan } from "../../agent/truncate-messages.ts";
import type { ModelMessage, ModelReasoning, ResponseFormat } from "../../models/model-provider.ts";
import type { PermissionPolicy } from "../../permissions/policy.ts";
import { withCut } from "../log/cuts.ts";
import { type ClientMetadataPatch, patchMetadata } from "./client-metadata.ts";
import {
  foldCompactionComplete,
  foldCompactionStart,
  foldContextCleared,
  foldTruncation,
} from "./context-state.ts";
import { isPublicLine } from "./private-records.ts";
import {
  emptyUsage,
  type OpenAgent,
  type OpenToolCall,
  type QueuedPrompt,
  type SessionMode,
  type SessionState,
  type UsageTotals,
} from "./session-state.ts";
import { takeParts, takeToolImages } from "./shown-images.ts";
import { foldSummaryFile, foldSummaryOwner } from "./stray-summaries.ts";

/** An event or private record as it comes out of a log: anything may be missing. */
export interface LoggedEvent {
  readonly type: string;
  readonly id?: string;
  readonly timestamp?: string;
  readonly agentId?: string;
  // biome-ignore lint/suspicious/noExplicitAny: logs of other versions hold any shape; every reader below checks what it uses
  readonly data?: any;
}

type Folder = (state: SessionState, data: NonNullable<LoggedEvent["data"]>, event: LoggedEvent) => void;

/** Folds one line. `json` is its text, of which only its size and kind are used. */
export function applyLine(state: SessionState, event: LoggedEvent, json: string): void {
  if (isPublicLine(json)) {
    state.publicEvents += 1;
    state.publicBytes += Buffer.byteLength(json);
    if (typeof event.id === "string") state.lastEventId = event.id;
  }
  // What sub-agents said is in the log, not in the main conversation.
  if (event.agentId !== undefined) foldSubAgent(state, event);
  else FOLDERS[event.type]?.(state, event.data ?? {}, event);
}

function foldSubAgent(state: SessionState, { type, agentId, data }: LoggedEvent): void {
  if (type !== "subagent.started" && type !== "subagent.completed" && type !== "subagent.failed") return;
  const others = (state.openAgents ?? []).filter((open) => open.agentId !== agentId);
  const { toolCallId, agentName, agentDisplayName } = data ?? {};
  const started = { agentId, toolCallId, agentName, agentDisplayName } as OpenAgent;
  const open = type === "subagent.started" ? [...others, started] : others;
  state.openAgents = open.length > 0 ? open : undefined;
}

/**
 * Folds a line that a rewind took back: what it cost, and what people set with it, is still so; what was
 * said and done is not. `queue` stays whole: a prompt that had its run does not wait any more.
 */
export function applyRewoundLine(state: SessionState, event: LoggedEvent): void {
  const { type, data } = event;
  if (event.agentId !== undefined) return;
  if (type === "user.message") dequeue(state, data ?? {});
  else if (type === "session.compaction_complete") foldSummaryOwner(state, data ?? {}, true);
  else if (type === "rightseat.usage") FOLDERS[type]?.(state, { ...data, aside: true }, event);
  else if (!CONVERSATION.has(type)) FOLDERS[type]?.(state, data ?? {}, event);
}

/** What makes the conversation. A line that belongs to it and is not named here would outlive a rewind. */
const CONVERSATION: ReadonlySet<string> = new Set([
  "session.context_cleared",
  "session.compaction_start",
  "session.compaction_complete",
  "session.shutdown",
  "system.message",
  "user.message",
  "assistant.turn_start",
  "assistant.message",
  "tool.execution_start",
  "tool.execution_complete",
  "permission.requested",
  "permission.completed",
  "external_tool.requested",
  "tool_search.activated",
  "rightseat.question_asked",
  "rightseat.run_ended",
  "rightseat.message_parts",
  "rightseat.context_added",
  "rightseat.call_changed",
  "rightseat.left_out",
  "rightseat.response_format",
  "rightseat.truncated",
  "rightseat.file_changed",
  "rightseat.client_tools",
]);

const FOLDERS: Record<string, Folder> = {
  "session.start": (state, data, event) => {
    state.startTime = text(data.startTime) ?? event.timestamp ?? state.startTime;
    state.model = text(data.selectedModel) ?? state.model;
    state.reasoningEffort = text(data.reasoningEffort) ?? state.reasoningEffort;
    state.sessionLimits = toLimits(data.sessionLimits);
    setContext(state, data.context);
  },
  "session.resume": (state, data) => {
    state.model = text(data.selectedModel) ?? state.model;
    state.reasoningEffort = text(data.reasoningEffort) ?? state.reasoningEffort;
    setContext(state, data.context);
  },
  "session.context_changed": (state, data) => setContext(state, data),
  "session.model_change": (state, data) => {
    state.model = text(data.newModel) ?? state.model;
    if (data.reasoningEffort !== undefined) state.reasoningEffort = text(data.reasoningEffort);
  },
  "session.mode_changed": (state, data) => {
    const mode = toMode(data.newMode);
    if (!mode) return;
    state.mode = mode;
    if (state.running) state.running.agentMode = undefined;
  },
  "session.permissions_changed": (state, data) => {
    if (data.mode === "manual" || data.mode === "allow-all")
      state.permissions = { ...state.permissions, mode: data.mode };
  },
  "session.plan_changed": (state, data) => {
    state.hasPlan = data.operation !== "delete";
  },
  "session.session_limits_changed": (state, data) => {
    state.sessionLimits = toLimits(data.sessionLimits);
  },
  "session.shutdown": (state) => {
    state.running = undefined;
  },
  "session.context_cleared": foldContextCleared,
  "session.compaction_start": foldCompactionStart,
  "session.compaction_complete": (state, data) => {
    foldSummaryOwner(state, data, false);
    foldCompactionComplete(state, data);
  },
  "rightseat.summary_file": (state, data) => foldSummaryFile(state, data as { number: number; by: string }),
  "rightseat.truncated": (state, data) => foldTruncation(state, data as TruncationPlan),
  "subagent.selected": (state, data) => {
    state.selectedAgent = text(data.agentName);
  },
  "subagent.deselected": (state) => {
    state.selectedAgent = undefined;
  },
  "system.message": (state, data) => {
    state.systemMessageHash = text(data.metadata?.variables?.sha256);
    state.systemTokens = tokensOfText(text(data.content) ?? "");
  },
  "user.message": foldUserMessage,
  "assistant.turn_start": (state) => {
    state.turns += 1;
    if (state.running) state.running.turn += 1;
  },
  "assistant.message": foldAssistantMessage,
  "tool.execution_start": (state, data) => {
    const call = findCall(state, data.toolCallId);
    if (call) call.started = true;
  },
  "permission.requested": (state, data) => {
    const call = findCall(state, data.permissionRequest?.toolCallId);
    if (call) call.permissionRequestId = text(data.requestId);
  },
  "permission.completed": (state, data) => {
    const call = state.openToolCalls.find((open) => open.permissionRequestId === data.requestId);
    if (!call) return;
    call.permissionRequestId = undefined;
    call.permitted = typeof data.result?.kind === "string" && data.result.kind.startsWith("approved");
  },
  "external_tool.requested": (state, data) => {
    const call = findCall(state, data.toolCallId);
    if (call) call.externalRequestId = text(data.requestId);
  },
  "tool.execution_complete": foldToolResult,
  "tool.user_requested": (state, data) => {
    const toolCallId = text(data.toolCallId);
    if (toolCallId !== undefined) state.userToolCalls = [...(state.userToolCalls ?? []), toolCallId];
  },
  "tool_search.activated": (state, data) => {
    if (!Array.isArray(data.toolNames)) return;
    const names = data.toolNames.filter((name: unknown): name is string => typeof name === "string");
    state.activatedTools = [...new Set<string>([...(state.activatedTools ?? []), ...names])];
  },
  "rightseat.question_asked": (state, data) => {
    const call = findCall(state, data.toolCallId);
    if (call) call.questionRequestId = text(data.requestId);
  },
  "rightseat.prompt_queued": (state, data) => {
    const prompt = data.prompt as QueuedPrompt;
    rememberMessage(state, prompt.messageId);
    state.queuedItems = (state.queuedItems ?? 0) + 1;
    const at = data.first === true ? 0 : state.queue.length;
    insertItem(state, { ...prompt, order: state.queuedItems }, text(data.before), at);
  },
  "rightseat.queue_item_moved": (state, data) => {
    const item = state.queue.find(({ messageId }) => messageId === data.messageId);
    if (!item) return;
    state.queue = state.queue.filter((other) => other !== item);
    insertItem(state, item, text(data.before), state.queue.length);
  },
  "rightseat.queue_items_removed": (state, data) => {
    const removed = new Set<unknown>(data.messageIds);
    state.queue = state.queue.filter(({ messageId }) => !removed.has(messageId));
  },
  "rightseat.queue_item_changed": (state, data) => {
    state.queue = state.queue.map((item) =>
      item.messageId === data.messageId ? { ...item, ...data.changes } : item,
    );
  },
  "rightseat.queue_replaced": (state, data) => {
    state.queue = data.prompts as QueuedPrompt[];
  },
  "rightseat.command_ended": (state, data) => {
    state.queue = withoutSteering(state.queue.filter((item) => item.messageId !== data.messageId));
  },
  "system.notification": (state, data) => {
    const content = text(data.content);
    // Others are for people alone.
    if (content?.startsWith("<system_notification>")) state.messages.push({ role: "user", content });
  },
  "rightseat.notified": (state, data) => {
    dequeue(state, data);
    if (data.steering === true) return;
    state.running = { messageId: text(data.messageId) ?? "", turn: 0 };
  },
  "rightseat.run_ended": (state) => {
    state.running = undefined;
    state.queue = withoutSteering(state.queue);
  },
  "rightseat.message_parts": (state, data) => {
    const last = state.messages.at(-1);
    if (last?.role === "user")
      state.messages[state.messages.length - 1] = { ...last, content: takeParts(data.parts) };
  },
  "rightseat.client_tools": (state, data) => {
    state.clientTools = { offered: data.offered, gone: data.gone };
  },
  "rightseat.context_added": (state, data) => {
    const content = text(data.content);
    if (content === undefined) return;
    // Between a tool call and its result nothing else may stand.
    if (state.openToolCalls.length > 0) (state.heldContext ??= []).push(content);
    else state.messages.push({ role: "user", content, prompt: "" });
  },
  "rightseat.call_changed": foldCallChange,
  "rightseat.left_out": (state, data) => {
    const left = leaveOut(state.messages, data.kinds);
    if (left === state.messages) return;
    state.messages = [...left];
    state.counted = undefined;
  },
  "rightseat.response_format": (state, data) => {
    if (state.running) state.running.responseFormat = data.responseFormat as ResponseFormat;
  },
  "rightseat.usage": (state, data) => {
    const usage = data.usage as UsageTotals;
    const totals = (state.usageByModel[data.model] ??= emptyUsage());
    totals.requests += 1;
    for (const key of USAGE_KEYS) totals[key] += usage[key] ?? 0;
    if (usage.nanoAiu) totals.nanoAiu = (totals.nanoAiu ?? 0) + usage.nanoAiu;
    if (data.aside === true) return;
    state.lastInputTokens = usage.inputTokens;
    state.lastOutputTokens = usage.outputTokens;
    const tokens = usage.inputTokens + usage.outputTokens;
    // The answer itself is the next line. Some compatible servers report zeros.
    state.counted = tokens > 0 ? { tokens, messages: state.messages.length + 1 } : undefined;
  },
  "rightseat.permissions_set": (state, data) => {
    state.permissions = data.policy as PermissionPolicy;
  },
  "rightseat.rewound": (state, data) => {
    const cut = { from: data.from, to: data.to };
    state.cuts = withCut(state.cuts, cut);
    if (data.undoesFiles === true) state.undoneFiles = withCut(state.undoneFiles, cut);
  },
  "rightseat.file_tracking": (state) => {
    state.tracksFiles = true;
  },
  "rightseat.file_changed": (state, data) => {
    const { linesAdded = 0, linesRemoved = 0, files = [] } = state.codeChanges ?? {};
    const isNew = files.length < MOST_FILES && !files.includes(data.path);
    state.codeChanges = {
      linesAdded: linesAdded + data.linesAdded,
      linesRemoved: linesRemoved + data.linesRemoved,
      files: isNew ? [...files, data.path] : files,
    };
  },
  "rightseat.name_set": (state, data) => {
    state.name = text(data.name);
  },
  "rightseat.title_set": (state, data) => {
    state.title = text(data.title) ?? state.title;
  },
  "rightseat.reasoning_effort_set": (state, data) => {
    state.reasoningEffort = text(data.reasoningEffort);
  },
  "rightseat.client_metadata": (state, data) => {
    state.clientMetadata = patchMetadata(state.clientMetadata ?? {}, data as ClientMetadataPatch);
  },
};

/** Paths of changed files that are told; a session that changes more is told by its lines. */
const MOST_FILES = 1_000;

const USAGE_KEYS = [
  "inputTokens",
  "outputTokens",
  "cacheReadTokens",
  "cacheWriteTokens",
  "reasoningTokens",
  "apiDurationMs",
] as const satisfies readonly (keyof UsageTotals)[];

/** In front of an item, or, where that has gone, at the index. */
function insertItem(
  state: SessionState,
  item: QueuedPrompt,
  before: string | undefined,
  otherwise: number,
): void {
  const at = before === undefined ? -1 : state.queue.findIndex(({ messageId }) => messageId === before);
  state.queue.splice(at < 0 ? otherwise : at, 0, item);
}

/** Steering that came too late for its run waits like any other prompt. */
function withoutSteering(queue: QueuedPrompt[]): QueuedPrompt[] {
  return queue.map((prompt) => (prompt.steering ? { ...prompt, steering: false } : prompt));
}

/** A client sends a prompt again when a connection took the answer with it: soon, or never. */
const REMEMBERED_MESSAGES = 32;

function rememberMessage(state: SessionState, messageId: unknown): void {
  if (typeof messageId !== "string" || state.recentMessageIds?.includes(messageId)) return;
  state.recentMessageIds ??= [];
  state.recentMessageIds.push(messageId);
  if (state.recentMessageIds.length > REMEMBERED_MESSAGES) state.recentMessageIds.shift();
}

function foldUserMessage(
  state: SessionState,
  data: NonNullable<LoggedEvent["data"]>,
  { id }: LoggedEvent,
): void {
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

function dequeue(state: SessionState, data: NonNullable<LoggedEvent["data"]>): string | undefined {
  const messageId = text(data.messageId);
  if (messageId !== undefined) state.queue = state.queue.filter((prompt) => prompt.messageId !== messageId);
  return messageId;
}

function foldAssistantMessage(state: SessionState, data: NonNullable<LoggedEvent["data"]>): void {
  const requests: NonNullable<LoggedEvent["data"]>[] = Array.isArray(data.toolRequests)
    ? data.toolRequests
    : [];
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

function foldToolResult(state: SessionState, data: NonNullable<LoggedEvent["data"]>): void {
  const toolCallId = text(data.toolCallId);
  if (data.isUserRequested === true && state.userToolCalls)
    state.userToolCalls = state.userToolCalls.filter((id) => id !== toolCallId);
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
function foldCallChange(state: SessionState, data: NonNullable<LoggedEvent["data"]>): void {
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

function reasoningOf(data: NonNullable<LoggedEvent["data"]>): ModelReasoning | undefined {
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

function blocksOf(data: NonNullable<LoggedEvent["data"]>): readonly unknown[] {
  const blocks: unknown = data.reasoningBlocks?.blocks;
  return Array.isArray(blocks) ? blocks : [];
}

/** What a provider put beside a call; other blocks are its reasoning. */
function isExtra(block: unknown): block is CallExtra {
  return typeof block === "object" && block !== null && "toolCallId" in block && "extra_content" in block;
}

function setContext(state: SessionState, context: unknown): void {
  const { cwd, gitRoot, repository, branch } = (context ?? {}) as Record<string, unknown>;
  if (typeof cwd !== "string") return;
  state.workingDirectory = cwd;
  state.context = { cwd, gitRoot: text(gitRoot), repository: text(repository), branch: text(branch) };
}

function findCall(state: SessionState, toolCallId: unknown): OpenToolCall | undefined {
  return state.openToolCalls.find((call) => call.toolCallId === toolCallId);
}

function toMode(mode: unknown): SessionMode | undefined {
  return mode === "interactive" || mode === "plan" || mode === "autopilot" ? mode : undefined;
}

function toLimits(limits: unknown): SessionState["sessionLimits"] {
  const { maxAiCredits } = (limits ?? {}) as { maxAiCredits?: unknown };
  return typeof maxAiCredits === "number" ? { maxAiCredits } : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
