/** Folds a log into a state, from its checkpoint where there is one. */
import type { EventLog } from "../../store/event-log.ts";
import type { SessionKey } from "../../store/session-key.ts";
import { createCutFilter } from "../log/cuts.ts";
import { applyLine, applyRewoundLine, type LoggedEvent } from "./projection.ts";
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
  /** Characters of the lines behind it. */
  readonly charactersSince: number;
}

export async function loadState(log: EventLog, key: SessionKey, from: LoadFrom): Promise<LoadedState> {
  const { end } = from;
  const checkpointed = from.checkpoint?.cursor ?? 0;
  const state = from.checkpoint?.state ?? createSessionState();
  const known = state.cuts;
  let charactersSince = 0;
  if (checkpointed < end) {
    for await (const batch of log.read(key, { from: checkpointed, to: end })) {
      for (const { json, value } of batch) {
        applyLine(state, (value ?? JSON.parse(json)) as LoggedEvent, json);
        charactersSince += json.length;
      }
    }
  }
  if (state.cuts === known) return { state, end, checkpointed, charactersSince };
  // Lines that were folded were taken back by a later one: all over again, now that it is known which.
  return { state: await foldWithCuts(log, key, state, end), end, checkpointed: 0, charactersSince };
}

async function foldWithCuts(
  log: EventLog,
  key: SessionKey,
  { cuts }: SessionState,
  end: number,
): Promise<SessionState> {
  const state = createSessionState();
  const isTakenBack = createCutFilter(cuts);
  for await (const batch of log.read(key, { to: end })) {
    for (const { json, value, cursor } of batch) {
      const event = (value ?? JSON.parse(json)) as LoggedEvent;
      if (isTakenBack(cursor)) applyRewoundLine(state, event);
      else applyLine(state, event, json);
    }
  }
  return state;
}
