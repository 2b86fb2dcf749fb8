/**
 * A session's log as clients see it: without our own records, and without what a rewind took back. The
 * log itself only grows: a rewind is a record that names a range of it.
 */
import type { EventLog, ReadRange, StoredLine } from "../../store/event-log.ts";
import type { SessionKey } from "../../store/session-key.ts";
import type { Cut } from "../log/cuts.ts";
import { isPublicLine } from "./private-records.ts";

/** Batches of the lines that clients may see, oldest first; never reads what was taken back. */
export async function* readVisible(
  log: EventLog,
  key: SessionKey,
  cuts: readonly Cut[] | undefined,
  { from = 0, to }: ReadRange = {},
): AsyncIterable<readonly StoredLine[]> {
  let at = from;
  for (const cut of cuts ?? []) {
    if (to !== undefined && cut.from >= to) break;
    if (cut.to <= at) continue;
    if (cut.from > at) yield* publicLines(log, key, { from: at, to: cut.from });
    at = cut.to;
  }
  if (to === undefined || at < to) yield* publicLines(log, key, { from: at, to });
}

async function* publicLines(
  log: EventLog,
  key: SessionKey,
  range: ReadRange,
): AsyncIterable<readonly StoredLine[]> {
  for await (const batch of log.read(key, range)) yield batch.filter(({ json }) => isPublicLine(json));
}
