/**
 * The storage seam: every session is an append-only log of events, and this is all that the runtime
 * asks of whatever keeps it. Implementations: `memory/`, `files/`, and (later) Postgres; all of them
 * pass the contract suite in `contract.ts`.
 *
 * Terms:
 * - A **line** is one event (or one record of our own kind) as JSON text without a newline. The log
 *   never looks inside it.
 * - A **cursor** is a position between lines: 0 is before the first; the cursor that `append` returns
 *   is behind the last line appended. Cursors grow monotonically and are comparable with `<`. Their
 *   unit belongs to the implementation (bytes for files); nobody else does arithmetic with them.
 * - A **lease** is the right to append to one session. Its generation grows each time ownership
 *   changes hands. There is one holder at a time; a write under an older generation is refused with
 *   a `StoreError` of kind `conflict`, however late it arrives.
 */

/** Names one session. The same `sessionId` under two tenants names two sessions. */
export interface SessionKey {
  readonly tenant: string;
  readonly sessionId: string;
}

export interface Lease extends SessionKey {
  readonly generation: number;
}

/** What a session list shows. Kept beside the log so that listing never opens a session's own files. */
export interface SessionSummary {
  readonly sessionId: string;
  /** ISO 8601. */
  readonly startTime: string;
  /** ISO 8601; the time of the last turn or change. */
  readonly modifiedTime: string;
  /** A short title, once there is one. */
  readonly summary?: string;
  /** The name a user gave the session. */
  readonly name?: string;
  readonly clientName?: string;
  readonly context?: SessionContext;
}

/** Where a session works. */
export interface SessionContext {
  readonly cwd: string;
  readonly gitRoot?: string;
  readonly repository?: string;
  readonly branch?: string;
}

export interface Checkpoint {
  /** The lines before this cursor are what `state` stands for. */
  readonly cursor: number;
  /** JSON text of the projection; opaque to the store. */
  readonly state: string;
}

/** What `open` had to mend, for the log: bytes of a torn or NUL-filled tail that were set aside. */
export interface RepairReport {
  readonly droppedBytes: number;
  readonly reason: "torn-line" | "nul-bytes" | "invalid-json";
}

export interface OpenedLog {
  readonly lease: Lease;
  /** The cursor behind the last committed line. */
  readonly end: number;
  readonly checkpoint?: Checkpoint;
  readonly repaired?: RepairReport;
}

export interface StoredLine {
  readonly json: string;
  /** The cursor behind this line. */
  readonly cursor: number;
  /** The line parsed, from a store that had to look whether it is JSON; saves its reader doing it again. */
  readonly value?: unknown;
}

export interface ReadRange {
  /** Start here; default 0. */
  readonly from?: number;
  /** Stop here; default the end at the time of the call. */
  readonly to?: number;
}

export interface ListQuery {
  readonly cwd?: string;
  readonly gitRoot?: string;
  readonly repository?: string;
  readonly branch?: string;
  /** At most this many, most recently modified first. */
  readonly limit?: number;
}

/** `invalid-key`: a session id or tenant that no store accepts; the caller's mistake, not the store's. */
export type StoreErrorKind = "not-found" | "conflict" | "unavailable" | "corrupt" | "invalid-key";

/** The closed set of ways a store fails. `cause` carries the driver's error where there is one. */
export class StoreError extends Error {
  readonly kind: StoreErrorKind;
  constructor(kind: StoreErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.kind = kind;
  }
}

export interface EventLog {
  /**
   * Makes an empty log and takes its lease (generation 1).
   * @throws StoreError `conflict` if the session exists already.
   */
  create(key: SessionKey, summary: SessionSummary): Promise<Lease>;

  /**
   * Takes the lease of an existing log, repairing a torn tail first. An owner that is alive and idle
   * is asked to hand over (see `onHandover`); one that is busy keeps it.
   * @throws StoreError `not-found`, or `conflict` if a living owner keeps it.
   */
  open(key: SessionKey): Promise<OpenedLog>;

  /**
   * Commits lines in order, all or none, and returns the cursor behind them. When the promise
   * resolves they survive `kill -9` (and, unless durability was turned down, a power cut). Calls for
   * one lease may overlap: they commit in the order of the calls, and share a write where they can.
   * @throws StoreError `conflict` under an outdated lease, `unavailable` if nothing was committed.
   */
  append(lease: Lease, lines: readonly string[]): Promise<number>;

  /**
   * Streams committed lines in order, in batches of bounded size. Needs no lease.
   * @throws StoreError `not-found`.
   */
  read(key: SessionKey, range?: ReadRange): AsyncIterable<readonly StoredLine[]>;

  /** The checkpoint, when there is one that fits the log. */
  readCheckpoint(lease: Lease): Promise<Checkpoint | undefined>;

  /** Replaces the checkpoint. Losing one costs time, never data: a reader falls back to the log. */
  checkpoint(lease: Lease, checkpoint: Checkpoint): Promise<void>;

  /** Replaces what `list` shows of the session. Durable within a second or at `release`. */
  setSummary(lease: Lease, summary: SessionSummary): void;

  /** Gives the lease back. Twice is harmless. Pending appends finish first. */
  release(lease: Lease): Promise<void>;

  /** One session's summary, or undefined when there is no such session. */
  get(key: SessionKey): Promise<SessionSummary | undefined>;

  /** Summaries of a tenant, most recently modified first. Never opens one file a session. */
  list(tenant: string, query?: ListQuery): Promise<SessionSummary[]>;

  /** The tenants that have, or had, sessions. */
  tenants(): Promise<string[]>;

  /** What a tenant's sessions take up, in bytes, with all that they keep. Looks at each of them: dear. */
  storedBytes(tenant: string): Promise<number>;

  /**
   * Deletes a session whoever holds it here; false when there was none.
   * @throws StoreError `conflict` if another living owner keeps it.
   */
  delete(key: SessionKey): Promise<boolean>;

  /**
   * The directory that a session may use for files of its own (plans, checkpoints, large outputs),
   * created on first use; undefined when the store keeps none. It goes when the session is deleted.
   */
  workspacePath(key: SessionKey): string | undefined;

  /**
   * Whether the store takes writes now: tries one that leaves nothing behind.
   * @throws StoreError `unavailable` saying why it does not.
   */
  check(): Promise<void>;

  /**
   * Sets what decides when another process asks for a session that this one holds: resolve true
   * after `release`, false to keep it. Without one, sessions are kept.
   */
  onHandover(decide: (key: SessionKey) => Promise<boolean>): void;

  /** Releases everything. Nothing may be called afterwards. */
  close(): Promise<void>;
}
