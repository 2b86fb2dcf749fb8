/**
 * A conversation that the agent loop, tools, hooks and permission questions work on: a session's own, or that of a
 * sub-agent (`abilities/sub-agents/sub-agent-conversation.ts`). Code that needs something of the session (clients, settings,
 * permissions, questions, limits) asks `session` for it, in either kind of conversation.
 */
import type { SessionEventDataMap, SessionEventType } from "@rightseat/protocol";
import type { PublishedEvent } from "../log/published-event.ts";
import type { AgentDefinition } from "../members/agent-definition.ts";
import type { ConversationRecordType, PrivateRecordMap } from "../state/private-records.ts";
import type { ConversationState } from "../state/session-state.ts";
import type { Session } from "./session.ts";

export interface Conversation {
  /** The session that the conversation belongs to; a session is its own. */
  readonly session: Session;
  readonly state: ConversationState;
  /** The agent that answers; undefined for the session itself. */
  readonly agent: AgentDefinition | undefined;
  /** False for a conversation that is only shortened when it is too long, and never summarised. */
  readonly isSummarised: boolean;
  /** Logs an event; told to clients once it is committed. */
  append<T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): PublishedEvent;
  /** Tells clients something that is not logged. */
  emit<T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): PublishedEvent;
  /** Logs a record of our own; nobody is told. */
  record<T extends ConversationRecordType>(type: T, data: PrivateRecordMap[T]): void;
}
