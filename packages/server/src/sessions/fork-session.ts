/** Copies a session's conversation, up to an event, into a new session. The source may be open or not. */

import { toJson } from "@rightseat/protocol";
import { closeInterruptedCompaction } from "../session/abilities/context/compaction.ts";
import { eventNotFound } from "../session/abilities/context/rewind.ts";
import { closeInterruptedRun } from "../session/abilities/tools/interrupted.ts";
import { removeCheckpointFiles } from "../session/abilities/workspace/checkpoint-files.ts";
import { type Cut, createCutFilter, withCut } from "../session/log/cuts.ts";
import { sessionNotFound } from "../session/log/session-errors.ts";
import { isPublicLine } from "../session/state/private-records.ts";
import { applyLine, type LoggedEvent } from "../session/state/projection.ts";
import { createSessionState, type SessionState } from "../session/state/session-state.ts";
import { foldSummaryFile, foldSummaryOwner } from "../session/state/stray-summaries.ts";
import type { EventLog } from "../store/event-log.ts";
import type { Lease, SessionKey } from "../store/session-key.ts";
import { StoreError } from "../store/store-error.ts";
import { newSessionId, type SessionRegistry } from "./session-registry.ts";

export interface ForkRequest {
  readonly sessionId: string;
  /** The first event that is left out; all are copied without one. */
  readonly toEventId?: string;
  readonly name?: string;
}

export interface Fork {
  readonly sessionId: string;
  readonly name?: string;
}

/** Folders and files of a session that its conversation speaks of. */
const COPIED_FILES = ["plan.md", "files", "checkpoints"];

/** @throws RpcError `session_not_found`, `event_not_found`. */
export async function forkSession(
  registry: SessionRegistry,
  tenant: string,
  { sessionId, toEventId, name }: ForkRequest,
): Promise<Fork> {
  const { store } = registry;
  const { log } = store;
  const source: SessionKey = { tenant, sessionId };
  await registry.find(source)?.committed();
  const summary = await store.catalogue.get(source).catch(() => undefined);
  if (!summary) throw sessionNotFound(source);
  const extent = await survey(log, source, toEventId);
  const target: SessionKey = { tenant, sessionId: newSessionId() };
  const startTime = new Date().toISOString();
  const lease = await store.ownership.create(target, {
    ...summary,
    sessionId: target.sessionId,
    startTime,
    modifiedTime: startTime,
  });
  try {
    const { state, end } = await copyLines({ log, source, lease, startTime }, extent);
    await store.files.copy(source, lease, COPIED_FILES);
    await removeCheckpointFiles({ files: store.files, key: target, lease }, extent.strays);
    const session = registry.draft(lease);
    session.begin(state, end);
    // Prompts that wait, and runs that are not over, are the source's.
    if (state.queue.length > 0) session.record("rightseat.queue_replaced", { prompts: [] });
    if (state.running || state.openToolCalls.length > 0) closeInterruptedRun(session);
    closeInterruptedCompaction(session);
    const origin = state.name ?? state.title;
    const forkName = name ?? (origin === undefined ? undefined : `${origin} (fork)`);
    if (forkName !== undefined) session.record("rightseat.name_set", { name: forkName });
    await session.committed();
    session.updateSummary();
    await session.release();
    session.announcements.announce("session-made", { key: target });
    return { sessionId: target.sessionId, ...(forkName !== undefined ? { name: forkName } : {}) };
  } catch (error) {
    await store.ownership.release(lease).catch(() => undefined);
    await store.ownership.delete(target).catch(() => undefined);
    throw error;
  }
}

/** Lines of which files of summaries depend. */
const OF_SUMMARIES = ['{"type":"session.compaction_complete"', '{"type":"rightseat.summary_file"'];

interface Extent {
  readonly cuts: readonly Cut[];
  /** The cursor up to which lines are copied. */
  readonly to: number;
  /** Numbers of files of summaries that only lines speak of which are not copied. */
  readonly strays: readonly number[];
}

/** Which lines there are to copy: a rewind is known only once it was read. */
async function survey(log: EventLog, key: SessionKey, toEventId: string | undefined): Promise<Extent> {
  let cuts: readonly Cut[] = [];
  let before = 0;
  let found: number | undefined;
  const ofSummaries: { cursor: number; event: LoggedEvent }[] = [];
  for await (const batch of readOrNotFound(log, key)) {
    for (const { json, value, cursor } of batch) {
      if (json.startsWith(REWOUND)) cuts = withCut(cuts, (JSON.parse(json) as { data: Cut }).data);
      if (OF_SUMMARIES.some((prefix) => json.startsWith(prefix)))
        ofSummaries.push({ cursor, event: JSON.parse(json) as LoggedEvent });
      if (toEventId !== undefined && json.includes(toEventId)) {
        const { id } = (value ?? JSON.parse(json)) as LoggedEvent;
        if (id === toEventId && isPublicLine(json)) found = before;
      }
      before = cursor;
    }
  }
  const extent = (to: number) => ({ cuts, to, strays: straysOf(ofSummaries, { cuts, to }) });
  if (toEventId === undefined) return extent(before);
  const isGone = cuts.some(({ from, to }) => found !== undefined && found >= from && found < to);
  if (found === undefined || isGone) throw eventNotFound(toEventId, key.sessionId);
  return extent(found);
}

function straysOf(
  lines: readonly { cursor: number; event: LoggedEvent }[],
  { cuts, to }: Omit<Extent, "strays">,
): readonly number[] {
  const state: Pick<SessionState, "straySummaries"> = {};
  const isGone = createCutFilter(cuts);
  for (const { cursor, event } of lines) {
    if (event.type === "rightseat.summary_file")
      foldSummaryFile(state, event.data as { number: number; by: string });
    else foldSummaryOwner(state, event.data ?? {}, isGone(cursor) || cursor > to);
  }
  return state.straySummaries ?? [];
}

async function* readOrNotFound(log: EventLog, key: SessionKey) {
  try {
    yield* log.read(key);
  } catch (error) {
    throw error instanceof StoreError && error.kind === "not-found" ? sessionNotFound(key) : error;
  }
}

const REWOUND = '{"type":"rightseat.rewound"';
/** What a fork has not done itself: it begins without cost, with nothing taken back, and with files as they are. */
const LEFT_OUT = [REWOUND, '{"type":"rightseat.usage"', '{"type":"rightseat.file_'];

interface Copy {
  readonly log: EventLog;
  readonly source: SessionKey;
  readonly lease: Lease;
  readonly startTime: string;
}

async function copyLines(
  { log, source, lease, startTime }: Copy,
  { cuts, to }: Extent,
): Promise<{ state: SessionState; end: number }> {
  const state = createSessionState();
  const isGone = createCutFilter(cuts);
  let end = 0;
  for await (const batch of log.read(source, { to })) {
    const lines: string[] = [];
    for (const { json, value, cursor } of batch) {
      if (isGone(cursor) || LEFT_OUT.some((prefix) => json.startsWith(prefix))) continue;
      const event = (value ?? JSON.parse(json)) as LoggedEvent;
      const own = event.type === "session.start" ? restart(event, lease.sessionId, startTime) : event;
      const line = own === event ? json : toJson(own);
      applyLine(state, own, line);
      lines.push(line);
    }
    if (lines.length > 0) end = await log.append(lease, lines);
  }
  return { state, end };
}

function restart(event: LoggedEvent, sessionId: string, startTime: string): LoggedEvent {
  return { ...event, data: { ...event.data, sessionId, startTime } };
}
