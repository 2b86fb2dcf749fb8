/**
 * The conversation of a sub-agent: what it says is logged with its id, and folded into a state of its own, which those
 * lines alone make (`recall-agents.ts`). Clients, settings, permissions and questions are the session's, as they are at
 * the time.
 */
import type { SessionEventDataMap, SessionEventType } from "@rightseat/protocol";
import type { PublishedEvent } from "../../log/published-event.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { Conversation } from "../../open/conversation.ts";
import type { Session } from "../../open/session.ts";
import type { ConversationRecordType, PrivateRecordMap } from "../../state/private-records.ts";
import { applyOwnLine } from "../../state/projection.ts";
import type { ConversationState } from "../../state/session-state.ts";

export interface SubAgentConversationOptions {
  readonly session: Session;
  readonly agentId: string;
  readonly agent: AgentDefinition;
  /** What it knows; changed by what it says and does. */
  readonly state: ConversationState;
  /** The tool call that the agent works for. */
  readonly parentToolCallId: string;
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

export class SubAgentConversation implements Conversation {
  readonly session: Session;
  readonly agent: AgentDefinition;
  readonly state: ConversationState;
  readonly isSummarised = false;
  readonly #agentId: string;
  readonly #parentToolCallId: string;

  constructor({ session, agentId, agent, state, parentToolCallId }: SubAgentConversationOptions) {
    this.session = session;
    this.agent = agent;
    this.state = state;
    this.#agentId = agentId;
    this.#parentToolCallId = parentToolCallId;
  }

  append<T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): PublishedEvent {
    const published = this.session.append(type, this.#toOwn(type, data), this.#agentId);
    applyOwnLine(this.state, published.event);
    return published;
  }

  emit<T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): PublishedEvent {
    return this.session.emit(type, this.#toOwn(type, data), undefined, this.#agentId);
  }

  record<T extends ConversationRecordType>(type: T, data: PrivateRecordMap[T]): void {
    this.session.record(type, data, this.#agentId);
    applyOwnLine(this.state, { type, data });
  }

  #toOwn<T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): SessionEventDataMap[T] {
    const parent = OF_PARENT_CALL.has(type) ? { parentToolCallId: this.#parentToolCallId } : {};
    const by = type === "assistant.usage" ? { initiator: "sub-agent" } : {};
    const source = type === "model.call_failure" ? { source: "subagent" } : {};
    return { ...data, ...parent, ...by, ...source };
  }
}
