/**
 * Folds one line of the log into the session's state. Pure apart from the state it is given; knows
 * every event that matters to the runtime and carries the others. The folds are in a file a topic.
 */
import { foldSubAgent } from "./agent-folds.ts";
import { CONVERSATION_FOLDS } from "./conversation-folds.ts";
import type { Folds, LoggedEvent } from "./fold.ts";
import { isPublicLine } from "./private-records.ts";
import { QUEUE_FOLDS } from "./queue-folds.ts";
import { SESSION_FOLDS } from "./session-folds.ts";
import type { ConversationState, SessionState } from "./session-state.ts";

export type { LoggedEvent };

/** A conversation's, also one of a sub-agent. */
const OF_CONVERSATION: Folds<ConversationState> = { ...QUEUE_FOLDS, ...CONVERSATION_FOLDS };
const FOLDS: Folds = { ...SESSION_FOLDS, ...OF_CONVERSATION };

/** Folds one line. `json` is its text, of which only its size and kind are used. */
export function applyLine(state: SessionState, event: LoggedEvent, json: string): void {
  if (isPublicLine(json)) {
    state.publicEvents += 1;
    state.publicBytes += Buffer.byteLength(json);
    if (typeof event.id === "string") state.lastEventId = event.id;
  }
  // What sub-agents said is in the log, not in the main conversation.
  if (event.agentId !== undefined) foldSubAgent(state, event);
  else FOLDS[event.type]?.apply(state, event.data ?? {}, event);
}

/** Folds what a sub-agent said or did into its own conversation. */
export function applyOwnLine(state: ConversationState, event: LoggedEvent): void {
  OF_CONVERSATION[event.type]?.apply(state, event.data ?? {}, event);
}

/** Folds a line that a rewind took back: what is left of it, as its fold says. */
export function applyRewoundLine(state: SessionState, event: LoggedEvent): void {
  if (event.agentId !== undefined) foldSubAgent(state, event);
  else FOLDS[event.type]?.rewound?.(state, event.data ?? {}, event);
}
