/** Folds a log into a state, from its checkpoint where there is one. */
import type { EventLog, SessionKey } from "../store/event-log.ts";
import { applyLine, type LoggedEvent } from "./projection.ts";
import { createSessionState, type SessionState } from "./session-state.ts";

export interface LoadFrom {
  /** Fold up to this cursor. */
  readonly end: number;
  readonly checkpoint?: { readonly cursor: number; readonly state: SessionState };
}

export interface LoadedState {
  readonly state: SessionState;
  readonly end: number;
  /** The cursor of the checkpoint used; 0 without one. */
  readonly checkpointed: number;
}

export async function loadState(log: EventLog, key: SessionKey, from: LoadFrom): Promise<LoadedState> {
  const checkpointed = from.checkpoint?.cursor ?? 0;
  const state = from.checkpoint?.state ?? createSessionState();
  if (checkpointed < from.end) {
    for await (const batch of log.read(key, { from: checkpointed, to: from.end })) {
      for (const { json, value } of batch) applyLine(state, (value ?? JSON.parse(json)) as LoggedEvent, json);
    }
  }
  return { state, end: from.end, checkpointed };
}
