/** Rewinding a session to a prompt: where it can go, what that would do to files, and doing it. */
import {
  type HistoryListRewindPointsResult,
  type HistoryPreviewRewindResult,
  type HistoryRewindFilePreview,
  type HistoryRewindOutcome,
  type HistoryRewindResult,
  type HistoryRewindUnavailableReason,
  RpcError,
} from "@rightseat/protocol";
import { restoreFiles } from "../../../file-history/restore-files.ts";
import type { EventLog } from "../../../store/event-log.ts";
import type { Session } from "../../open/session.ts";
import {
  type FileHistory,
  filesOf,
  keptFilesOf,
  readUserTurns,
  type UserTurn,
} from "../tools/file-changes.ts";
import { isBusy, type Rewound, rewindTo } from "./rewind.ts";

/** The result of `session.history.listRewindPoints`. */
export async function listRewindPoints(
  log: EventLog,
  session: Session,
): Promise<HistoryListRewindPointsResult> {
  const fileChangeTrackingEnabled = session.state.tracksFiles === true;
  if (fileChangeTrackingEnabled && isBusy(session))
    return { fileChangeTrackingEnabled, unavailableReason: "session-busy", points: [] };
  const turns = await readUserTurns(log, session);
  const kept = await keptFilesOf(session).list();
  const canRestore = ({ before }: FileHistory) =>
    before === null || (before !== undefined && kept.has(before));
  const points = turns.map((turn, index) => {
    const files = filesOf(turns.slice(index));
    const own = filesOf([turn]);
    return {
      eventId: turn.eventId,
      userMessage: turn.userMessage,
      timestamp: turn.timestamp,
      canRestoreFiles: files.some(canRestore),
      fileCount: files.length,
      turnChangedFiles: own.length > 0,
      linesAdded: sum(own, "linesAdded"),
      linesRemoved: sum(own, "linesRemoved"),
      isAutopilotContinuation: turn.isAutopilotContinuation,
    };
  });
  return { fileChangeTrackingEnabled, points };
}

/** The result of `session.history.previewRewind`. @throws RpcError `event_not_found`. */
export async function previewRewind(
  log: EventLog,
  session: Session,
  eventId: string,
): Promise<HistoryPreviewRewindResult> {
  const unavailable = (reason: HistoryRewindUnavailableReason) => ({
    available: false,
    reason,
    fileCount: 0,
    files: [],
  });
  if (!session.state.tracksFiles) return unavailable("file-change-tracking-disabled");
  if (isBusy(session)) return unavailable("session-busy");
  const files = filesOf(turnsFrom(await readUserTurns(log, session), eventId)).map(toPreview);
  return { available: true, fileCount: files.length, files };
}

function toPreview({ path, before, linesAdded, linesRemoved }: FileHistory): HistoryRewindFilePreview {
  return { path, changeType: before === null ? "created" : "modified", linesAdded, linesRemoved };
}

export type RewindMode = "conversation" | "conversation-and-files";

/** The result of `session.history.rewind`: files first, then the conversation. @throws RpcError `event_not_found`. */
export async function rewind(
  log: EventLog,
  session: Session,
  eventId: string,
  mode: RewindMode,
): Promise<HistoryRewindResult> {
  const unavailable = (outcome: HistoryRewindOutcome) => ({ outcome, restoredFiles: [], skippedFiles: [] });
  if (isBusy(session)) return unavailable("session-busy");
  const withFiles = mode === "conversation-and-files";
  const kept = session.state.tracksFiles ? keptFilesOf(session) : undefined;
  if (withFiles && !kept) return unavailable("file-change-tracking-disabled");
  const discarded = turnsFrom(await readUserTurns(log, session), eventId);
  const files =
    withFiles && kept ? await restoreFiles(kept, filesOf(discarded)) : { restored: [], skipped: [] };
  const done = { restoredFiles: [...files.restored], skippedFiles: [...files.skipped] };
  if ("error" in files && files.error) {
    const outcome = files.isRolledBack ? "files-rolled-back" : "rollback-incomplete";
    return { outcome, error: files.error.message, ...done };
  }
  let rewound: Rewound;
  try {
    rewound = await rewindTo(log, session, eventId, { undoesFiles: withFiles });
  } catch (error) {
    return { outcome: "truncation-failed", error: messageOf(error), ...done };
  }
  const { eventsRemoved, cleanupError } = rewound;
  if (cleanupError)
    return { outcome: "checkpoint-cleanup-failed", error: cleanupError.message, eventsRemoved, ...done };
  return { outcome: "success", eventsRemoved, ...done };
}

/** @throws RpcError `event_not_found`. */
function turnsFrom(turns: readonly UserTurn[], eventId: string): UserTurn[] {
  const first = turns.findIndex((turn) => turn.eventId === eventId);
  if (first < 0) {
    throw new RpcError(
      "event_not_found",
      `event ${eventId} is no prompt that the session can be rewound to; session.history.listRewindPoints tells which are`,
      { eventId },
    );
  }
  return turns.slice(first);
}

function sum(files: readonly FileHistory[], key: "linesAdded" | "linesRemoved"): number {
  return files.reduce((total, file) => total + file[key], 0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
