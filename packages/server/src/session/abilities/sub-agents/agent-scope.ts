/**
 * A session as a sub-agent of it sees it: its clients, settings, permissions and questions are the
 * session's; the conversation, the tool calls in it and what is said are its own. So whatever works for
 * a session (tools, permissions, hooks) works for its sub-agents.
 *
 * What a sub-agent says is logged with its id and folded into its own state alone. That state is not
 * kept: a sub-agent that a crash cut off is over.
 */
import { randomUUID } from "node:crypto";
import type { SessionEventDataMap, SessionEventType } from "@rightseat/protocol";
import type { PublishedEvent } from "../../log/published-event.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { Session } from "../../open/session.ts";
import type { PrivateRecordMap, PrivateRecordType } from "../../state/private-records.ts";
import { applyLine, type LoggedEvent } from "../../state/projection.ts";
import { createSessionState, type SessionState } from "../../state/session-state.ts";

export interface AgentScopeOptions {
  readonly session: Session;
  readonly agentId: string;
  readonly agent: AgentDefinition;
  /** The tool call that the agent works for just now. */
  readonly parentToolCallId: () => string;
}

/** Events that name the tool call whose agent they are of. */
const OF_PARENT_CALL: ReadonlySet<string> = new Set([
  "assistant.message",
  "assistant.message_delta",
  "assistant.usage",
  "tool.execution_start",
  "tool.execution_complete",
  "hook.start",
  "hook.end",
]);

/** Records about the conversation and its calls; all others are the session's. */
const OWN_RECORDS: ReadonlySet<string> = new Set([
  "rightseat.question_asked",
  "rightseat.message_parts",
  "rightseat.context_added",
  "rightseat.call_changed",
  "rightseat.left_out",
  "rightseat.response_format",
  "rightseat.truncated",
  "rightseat.run_ended",
]);

export interface AgentScope {
  /** The session as the sub-agent sees it. */
  readonly session: Session;
  /** The sub-agent's own messages go on; the session's state is let go of until it is looked at again. */
  sleep(): void;
}

/** Everything that is not the sub-agent's own is the session's, as it is at the time. */
export function createAgentScope(options: AgentScopeOptions): AgentScope {
  const { session, agentId, agent } = options;
  const state = createAgentState(session.state);
  const own: Partial<Record<string | symbol, unknown>> = {
    get state() {
      // A rewind and a sleep give the session another state; permissions and all else are that one's.
      if (Object.getPrototypeOf(state) !== session.state) Object.setPrototypeOf(state, session.state);
      return state;
    },
    agent,
    compaction: undefined,
    append: (type: SessionEventType, data: SessionEventDataMap[SessionEventType]) =>
      append(options, state, type, data),
    emit: (type: SessionEventType, data: SessionEventDataMap[SessionEventType]) =>
      session.emit(type, toOwn(options, type, data), undefined, agentId),
    record: <T extends PrivateRecordType>(type: T, data: PrivateRecordMap[T]) => {
      if (OWN_RECORDS.has(type)) fold(state, { type, data, id: randomUUID() });
      else session.record(type, data);
    },
  };
  const seen = new Proxy(session, {
    get: (target, key) => {
      if (Object.hasOwn(own, key)) return own[key];
      // A context of its own is truncated, never summarised.
      if (key === "settings") return { ...target.settings, infiniteSessions: { enabled: false } };
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
  return { session: seen, sleep: () => Object.setPrototypeOf(state, null) };
}

/** What a conversation consists of; the rest is read from the session. */
function createAgentState(session: SessionState): SessionState {
  const { messages, openToolCalls, queue, usageByModel, turns, userRequests } = createSessionState();
  const conversation: Partial<SessionState> = {
    messages,
    openToolCalls,
    queue,
    usageByModel,
    turns,
    userRequests,
    running: undefined,
    counted: undefined,
    compaction: undefined,
    compactAgainAt: undefined,
    systemMessageHash: undefined,
    selectedAgent: undefined,
  };
  return Object.assign(Object.create(session) as SessionState, conversation);
}

function append(
  options: AgentScopeOptions,
  state: SessionState,
  type: SessionEventType,
  data: SessionEventDataMap[SessionEventType],
): PublishedEvent {
  const published = options.session.append(type, toOwn(options, type, data), options.agentId);
  fold(state, { ...published.event, agentId: undefined });
  return published;
}

function fold(state: SessionState, event: LoggedEvent): void {
  // Counts of the log's lines are the session's.
  applyLine(state, event, '{"type":"rightseat.');
}

function toOwn(
  { parentToolCallId }: AgentScopeOptions,
  type: SessionEventType,
  data: SessionEventDataMap[SessionEventType],
): never {
  const parent = OF_PARENT_CALL.has(type) ? { parentToolCallId: parentToolCallId() } : {};
  const by = type === "assistant.usage" ? { initiator: "sub-agent" } : {};
  const source = type === "model.call_failure" ? { source: "subagent" } : {};
  return { ...data, ...parent, ...by, ...source } as never;
}
