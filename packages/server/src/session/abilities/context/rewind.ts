/**
 * Takes back the end of a session's conversation: an event and all after it. They stay in the log, where
 * nobody sees them any more; what they cost, and what people set meanwhile, stays as it is.
 */
import { RpcError } from "@rightseat/protocol";
import type { EventLog, StoredLine } from "../../../store/event-log.ts";
import { createCutFilter } from "../../log/cuts.ts";
import type { Session } from "../../open/session.ts";
import { Slot } from "../../open/slot.ts";
import { isPublicLine } from "../../state/private-records.ts";
import { applyLine, applyRewoundLine, type LoggedEvent } from "../../state/projection.ts";
import { createSessionState } from "../../state/session-state.ts";
import { closeInterruptedRun } from "../tools/interrupted.ts";
import { removeCheckpointFiles } from "../workspace/checkpoint-files.ts";
import { cancelCompaction } from "./active-compaction.ts";

export interface Rewound {
  /** Events that clients saw and that are gone. */
  readonly eventsRemoved: number;
  /** Set when files of compactions that are gone could not be removed. */
  readonly cleanupError?: Error;
}

/** The log is being read for one; a second would not know what the first takes back. */
const rewinding = new Slot<true>();

export interface RewindOptions {
  /** The files that were changed since were put back. */
  readonly undoesFiles?: boolean;
}

/** @throws RpcError `session_busy` while a prompt is being answered or another rewind is under way, `event_not_found`. */
export async function rewindTo(
  log: EventLog,
  session: Session,
  eventId: string,
  options: RewindOptions = {},
): Promise<Rewound> {
  refuseWhenBusy(session);
  rewinding.set(session, true);
  try {
    return await takeBack(log, session, eventId, options);
  } finally {
    rewinding.set(session, undefined);
  }
}

async function takeBack(
  log: EventLog,
  session: Session,
  eventId: string,
  { undoesFiles }: RewindOptions,
): Promise<Rewound> {
  await cancelCompaction(session);
  const reader = new RewindReader(session, eventId);
  // What comes while the log is read is read as well, until nothing does.
  for (let read = 0; read < session.end || !session.settled || read === 0; ) {
    await session.committed();
    const to = session.end;
    if (read < to)
      for await (const batch of log.read(session.key, { from: read, to }))
        for (const line of batch) reader.take(line);
    read = to;
    reader.refusesPrompts = true;
  }
  if (isBusy(session)) throw busy();
  const { state, from, to, eventsRemoved, checkpoints } = reader.result();
  session.replaceState(state);
  session.record("rightseat.rewound", { from, to, eventId, ...(undoesFiles ? { undoesFiles } : {}) });
  // An event in the middle of a run: what it left open ends here.
  if (state.running || state.openToolCalls.length > 0) closeInterruptedRun(session);
  await session.committed();
  session.emit("session.snapshot_rewind", { upToEventId: eventId, eventsRemoved });
  session.updateSummary();
  // Without one, whoever loads the session next reads its log twice.
  await session.checkpoint();
  const cleanupError = await removeCheckpointFiles(session, checkpoints).then(() => undefined, toError);
  return { eventsRemoved, ...(cleanupError ? { cleanupError } : {}) };
}

function refuseWhenBusy(session: Session): void {
  if (isBusy(session)) throw busy();
  if (rewinding.of(session) === true)
    throw new RpcError("session_busy", "the session is being rewound already");
}

/** Commands that people run in a session write into its conversation as well. */
export function isBusy(session: Session): boolean {
  return session.run !== undefined || session.sideWork !== undefined;
}

function busy(): RpcError {
  return new RpcError("session_busy", "the session is answering a prompt: abort that, or wait for its end");
}

/** Folds the log up to the event, and takes back what follows. */
class RewindReader {
  /** Set once the log was read: a prompt that comes now was accepted, and may not vanish. */
  refusesPrompts = false;
  readonly #session: Session;
  readonly #eventId: string;
  readonly #state = createSessionState();
  readonly #wasTakenBack: (cursor: number) => boolean;
  readonly #checkpoints: number[] = [];
  #from: number | undefined;
  #before = 0;
  #eventsRemoved = 0;

  constructor(session: Session, eventId: string) {
    this.#session = session;
    this.#eventId = eventId;
    this.#wasTakenBack = createCutFilter(session.state.cuts);
  }

  take({ json, value, cursor }: StoredLine): void {
    const event = (value ?? JSON.parse(json)) as LoggedEvent;
    if (this.refusesPrompts && event.type === "user.message") throw busy();
    const gone = this.#wasTakenBack(cursor);
    if (!gone && event.id === this.#eventId && isPublicLine(json)) this.#from ??= this.#before;
    if (gone || this.#from !== undefined) applyRewoundLine(this.#state, event);
    else applyLine(this.#state, event, json);
    if (!gone && this.#from !== undefined && isPublicLine(json)) this.#count(event);
    this.#before = cursor;
  }

  #count(event: LoggedEvent): void {
    this.#eventsRemoved += 1;
    const { checkpointNumber } = event.type === "session.compaction_complete" ? (event.data ?? {}) : {};
    if (typeof checkpointNumber === "number") this.#checkpoints.push(checkpointNumber);
  }

  /** @throws RpcError `event_not_found`. */
  result() {
    if (this.#from === undefined) throw eventNotFound(this.#eventId, this.#session.id);
    return {
      state: this.#state,
      from: this.#from,
      to: this.#before,
      eventsRemoved: this.#eventsRemoved,
      checkpoints: this.#checkpoints,
    };
  }
}

export function eventNotFound(eventId: string, sessionId: string): RpcError {
  return new RpcError("event_not_found", `Event ${eventId} not found in session ${sessionId}`, {
    eventId,
    sessionId,
  });
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
