/**
 * Files that the session's tools change. Each change is in the log, with what the file held before kept
 * beside it where the session asked for that, so that a rewind can put it back. What shells do to files
 * is not known.
 */
import { KeptFiles, sha256Of } from "../../../file-history/kept-files.ts";
import { countLineChanges } from "../../../file-history/line-changes.ts";
import type { EventLog } from "../../../store/event-log.ts";
import type { FileChange } from "../../../tools/built-in-tool.ts";
import { createCutFilter } from "../../log/cuts.ts";
import type { Session } from "../../open/session.ts";
import { Slot } from "../../open/slot.ts";
import type { PrivateRecordMap } from "../../state/private-records.ts";
import type { LoggedEvent } from "../../state/projection.ts";

type LoggedChange = PrivateRecordMap["rightseat.file_changed"];

const FOLDER = "file-history";
const stores = new Slot<KeptFiles>();

/** What a session keeps. */
export function keptFilesOf(session: Session): KeptFiles {
  const known = stores.of(session);
  if (known) return known;
  const { files, key, lease } = session;
  const kept = new KeptFiles({
    list: () => files.list(key, FOLDER),
    read: (name, maxBytes) => files.read(key, `${FOLDER}/${name}`, maxBytes),
    put: (name, content) => files.put(lease, `${FOLDER}/${name}`, content),
    remove: (name) => files.remove(lease, `${FOLDER}/${name}`),
  });
  stores.set(session, kept);
  return kept;
}

/** Logs a change that is about to be made; resolves when what it needs to be undone is on record. Never rejects. */
export async function recordFileChange(
  session: Session,
  { path, before, after }: FileChange,
  onProblem: (error: unknown) => void,
): Promise<void> {
  const lines = countLineChanges(before, after);
  const kept = session.state.tracksFiles ? keptFilesOf(session) : undefined;
  try {
    if (!kept) return session.record("rightseat.file_changed", { path, ...lines });
    const was =
      before === undefined
        ? null
        : await kept.keep(before).catch((error: unknown) => {
            onProblem(error);
            return undefined;
          });
    session.record("rightseat.file_changed", {
      path,
      ...lines,
      ...(was === undefined ? {} : { before: was }),
      after: sha256Of(after),
    });
    await session.committed();
  } catch (error) {
    onProblem(error);
  }
}

/** What happened to one file over some turns. */
export interface FileHistory {
  readonly path: string;
  /** As in `FileToRestore`. */
  readonly before: string | null | undefined;
  readonly after: string;
  readonly linesAdded: number;
  readonly linesRemoved: number;
}

/** A prompt that began a run, and the files that changed until the next. */
export interface UserTurn {
  readonly eventId: string;
  readonly userMessage: string;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly isAutopilotContinuation: boolean;
  /** By path; empty where changes are not tracked. */
  readonly files: Map<string, FileHistory>;
}

const FILE_CHANGED = '{"type":"rightseat.file_changed"';

/** The turns that clients see, oldest first. Reads the whole log, and keeps of it no more than this. */
export async function readUserTurns(log: EventLog, session: Session): Promise<UserTurn[]> {
  await session.committed();
  const { cuts, undoneFiles } = session.state;
  const turns: UserTurn[] = [];
  const isGone = createCutFilter(cuts);
  // Changes of turns that were taken back without their files are still to be undone.
  const isUndone = createCutFilter(undoneFiles);
  for await (const batch of log.read(session.key, { to: session.end })) {
    for (const { json, cursor } of batch) {
      const gone = isGone(cursor);
      const undone = isUndone(cursor);
      if (json.startsWith(FILE_CHANGED)) {
        const { data } = JSON.parse(json) as { data: LoggedChange };
        const turn = turns.at(-1);
        if (turn && !undone) merge(turn.files, data);
      } else if (!gone && json.includes('"type":"user.message"')) {
        const turn = toTurn(JSON.parse(json) as LoggedEvent);
        if (turn) turns.push(turn);
      }
    }
  }
  return turns;
}

/** What happened to the files over several turns, by path. */
export function filesOf(turns: readonly UserTurn[]): FileHistory[] {
  const files = new Map<string, FileHistory>();
  for (const turn of turns) for (const file of turn.files.values()) merge(files, file);
  return [...files.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
}

function merge(files: Map<string, FileHistory>, change: LoggedChange | FileHistory): void {
  const { path, after } = change;
  // Logged without what it held: the session does not track its files.
  if (after === undefined) return;
  const earlier = files.get(path);
  files.set(path, {
    path,
    before: earlier ? earlier.before : change.before,
    after,
    linesAdded: (earlier?.linesAdded ?? 0) + change.linesAdded,
    linesRemoved: (earlier?.linesRemoved ?? 0) + change.linesRemoved,
  });
}

function toTurn({ type, id, agentId, timestamp = "", data }: LoggedEvent): UserTurn | undefined {
  if (type !== "user.message" || agentId !== undefined || id === undefined) return undefined;
  if (data?.delivery === "steering") return undefined;
  return {
    eventId: id,
    userMessage: String(data?.content ?? ""),
    timestamp,
    isAutopilotContinuation: data?.isAutopilotContinuation === true,
    files: new Map(),
  };
}
