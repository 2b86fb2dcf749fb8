/**
 * Which files of summaries belong to nobody. A file belongs to the log when a compaction that was not taken back names
 * its number, or when a client wrote it. The number is in the log before the file is made (`rightseat.summary_file`), so
 * that a crash in between, and one between a rewind and its tidying, leaves a number that is known. Files that no log
 * speaks of, such as other programs', are nobody's business.
 */
import type { SessionState } from "./session-state.ts";

export type Strays = Pick<SessionState, "straySummaries">;

/** A file is about to be made: a compaction's belongs to nobody until the compaction names it. */
export function foldSummaryFile(state: Strays, { number, by }: { number: number; by: string }): void {
  settle(state, number);
  if (by === "compaction") state.straySummaries = [...(state.straySummaries ?? []), number];
}

/** @param data of `session.compaction_complete`; `isGone` when a rewind took it back. */
export function foldSummaryOwner(
  state: Strays,
  { checkpointNumber }: { checkpointNumber?: unknown },
  isGone: boolean,
): void {
  if (typeof checkpointNumber !== "number") return;
  settle(state, checkpointNumber);
  if (isGone) state.straySummaries = [...(state.straySummaries ?? []), checkpointNumber];
}

function settle(state: Strays, number: number): void {
  if (state.straySummaries?.includes(number))
    state.straySummaries = state.straySummaries.filter((stray) => stray !== number);
}
