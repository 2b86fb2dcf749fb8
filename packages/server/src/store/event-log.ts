/**
 * Sessions as append-only logs of events.
 *
 * Terms:
 * - A **line** is one event (or one record of our own kind) as JSON text without a newline. The log
 *   never looks inside it.
 * - A **cursor** is a position between lines: 0 is before the first; the cursor that `append` returns
 *   is behind the last line appended. Cursors grow monotonically and are comparable with `<`. Their
 *   unit belongs to the implementation (bytes for files); nobody else calculates with them.
 */
import type { Lease, SessionKey } from "./session-key.ts";

export interface Checkpoint {
  /** `state` stands for the lines before this cursor. */
  readonly cursor: number;
  /** JSON text of the projection; opaque to the store. */
  readonly state: string;
}

export interface StoredLine {
  readonly json: string;
  /** The cursor behind this line. */
  readonly cursor: number;
  /** The parsed line, from a store that had to parse it; its reader need not do so again. */
  readonly value?: unknown;
}

export interface ReadRange {
  /** Start here; default 0. */
  readonly from?: number;
  /** Stop here; default the end at the time of the call. */
  readonly to?: number;
}

export interface EventLog {
  /**
   * Commits lines in order, all or none, and returns the cursor behind them. When the promise
   * resolves they survive `kill -9` (and, unless durability was turned down, a power cut). Calls for
   * one lease may overlap: they commit in the order of the calls, and share a write where they can.
   * @throws StoreError `conflict` under an outdated lease, `unavailable` if nothing was committed.
   */
  append(lease: Lease, lines: readonly string[]): Promise<number>;

  /**
   * Streams committed lines in order, in batches of bounded size. Needs no lease. The tail behind a cursor that a
   * reader knows is a range without an end.
   * @throws StoreError `not-found`.
   */
  read(key: SessionKey, range?: ReadRange): AsyncIterable<readonly StoredLine[]>;

  /** The checkpoint, when there is one that fits the log. */
  readCheckpoint(lease: Lease): Promise<Checkpoint | undefined>;

  /** The file on this machine that has the session's lines, for people and their scripts; undefined without one. */
  fileOf(key: SessionKey): string | undefined;

  /** Replaces the checkpoint. Losing one costs time, never data: a reader falls back to the log. */
  checkpoint(lease: Lease, checkpoint: Checkpoint): Promise<void>;
}
