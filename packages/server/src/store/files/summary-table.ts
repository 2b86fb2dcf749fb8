import { compareInList, type ListQuery, matchesQuery, type SessionSummary } from "../catalogue.ts";
import { encodeIndexLine } from "./index-file.ts";

interface Entry {
  summary: SessionSummary;
  found: boolean;
  bytes: number;
  gone: boolean;
}

/**
 * Summaries by id, and in order of their last change. The order is mended when it is asked for:
 * sorting an almost sorted array again takes one pass.
 */
export class SummaryTable {
  #entries = new Map<string, Entry>();
  #ordered: Entry[] = [];
  #isOrdered = true;
  /** About what the entries take in the file. */
  bytes = 0;

  /** Sets or, with undefined, removes. What was found never replaces what an owner said. */
  apply(
    sessionId: string,
    summary: SessionSummary | undefined,
    found: boolean,
    bytes = estimateBytes(summary),
  ): void {
    const entry = this.#entries.get(sessionId);
    if (!summary) return this.#remove(sessionId, entry);
    if (!entry) {
      const added = { summary, found, bytes, gone: false };
      this.#entries.set(sessionId, added);
      this.#ordered.push(added);
      this.#isOrdered = false;
      this.bytes += bytes;
      return;
    }
    if (found && !entry.found) return;
    if (entry.summary.modifiedTime !== summary.modifiedTime) this.#isOrdered = false;
    this.bytes += bytes - entry.bytes;
    entry.summary = summary;
    entry.found = found;
    entry.bytes = bytes;
  }

  get(sessionId: string): SessionSummary | undefined {
    return this.#entries.get(sessionId)?.summary;
  }

  has(sessionId: string): boolean {
    return this.#entries.has(sessionId);
  }

  get size(): number {
    return this.#entries.size;
  }

  ids(): string[] {
    return [...this.#entries.keys()];
  }

  list(query: ListQuery): SessionSummary[] {
    this.#order();
    const limit = query.limit ?? Number.POSITIVE_INFINITY;
    const result: SessionSummary[] = [];
    for (const { summary } of this.#ordered) {
      if (result.length >= limit) break;
      if (matchesQuery(summary, query)) result.push(summary);
    }
    return result;
  }

  clear(): void {
    this.#entries.clear();
    this.#ordered = [];
    this.#isOrdered = true;
    this.bytes = 0;
  }

  *encode(): Generator<string> {
    for (const [id, { summary, found }] of this.#entries) yield encodeIndexLine(id, summary, found);
  }

  #remove(sessionId: string, entry: Entry | undefined): void {
    if (!entry) return;
    this.#entries.delete(sessionId);
    entry.gone = true;
    this.#isOrdered = false;
    this.bytes -= entry.bytes;
    // Without this, entries removed would gather where nobody asks for a list.
    if (this.#ordered.length > 2 * this.#entries.size + 1024) this.#order();
  }

  #order(): void {
    if (this.#isOrdered) return;
    this.#ordered = this.#ordered.filter((entry) => !entry.gone);
    this.#ordered.sort((one, other) => compareInList(one.summary, other.summary));
    this.#isOrdered = true;
  }
}

function estimateBytes(summary: SessionSummary | undefined): number {
  if (!summary) return 0;
  const { context, summary: title = "", name = "" } = summary;
  const { cwd = "", gitRoot = "", repository = "", branch = "" } = context ?? {};
  return 200 + title.length + name.length + cwd.length + gitRoot.length + repository.length + branch.length;
}
