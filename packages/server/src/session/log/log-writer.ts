/**
 * Writes one session's log: lines in their order, those of one loop iteration as one write. After a write that failed
 * nothing more is written, and every attempt throws, until `forgetUnwritten`.
 */
import { RpcError } from "@rightseat/protocol";
import type { EventLog } from "../../store/event-log.ts";
import type { Lease } from "../../store/session-key.ts";

export interface LogWriterOptions<Mark> {
  readonly log: EventLog;
  readonly lease: Lease;
  /** Lines are committed: called with their marks, in their order, before whoever waits goes on. */
  readonly onCommitted: (marks: readonly Mark[]) => void;
  /** A write failed; `isFirst` until what was not written is forgotten. */
  readonly onFailed: (error: unknown, isFirst: boolean) => void;
  /** A write ended; milliseconds. */
  readonly onStored?: ((commit: { readonly durationMs: number; readonly ok: boolean }) => void) | undefined;
}

interface Batch<Mark> {
  readonly lines: string[];
  readonly marks: Mark[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A `Mark` is what its caller wants to be told of a line once that is committed. */
export class LogWriter<Mark> {
  /** The cursor behind the last committed line. */
  end = 0;
  readonly #options: LogWriterOptions<Mark>;
  #batch: Batch<Mark> | undefined;
  #inFlight = 0;
  #held: Promise<void> | undefined;
  /** The newest batch: appends commit in order, so it is the last of all. */
  #tail: Promise<void> = Promise.resolve();
  #broken: unknown;

  constructor(options: LogWriterOptions<Mark>) {
    this.#options = options;
  }

  /** Whether all lines that were added are committed. */
  get settled(): boolean {
    return this.#inFlight === 0 && !this.#batch;
  }

  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  /** @throws RpcError `storage_unavailable` after a write that failed. */
  assertWorks(): void {
    if (this.#broken !== undefined) throw storageError(this.#broken);
  }

  /** Adds a line, which is written with all that are added before this loop iteration ends. */
  add(line: string, mark?: Mark): void {
    const batch = this.#openBatch();
    batch.lines.push(line);
    if (mark !== undefined) batch.marks.push(mark);
  }

  /** Lines that are added from now on wait for this before they are written, and are one write with what follows at once. */
  holdWhile(work: Promise<unknown>): void {
    const settled = work.catch(() => undefined);
    const before = this.#held;
    const held = (before ? before.then(() => settled) : settled).then(() => {
      if (this.#held === held) this.#held = undefined;
    });
    this.#held = held;
  }

  /**
   * Resolves once every line added so far is committed.
   * @throws RpcError `storage_unavailable` when one could not be.
   */
  committed(): Promise<void> {
    return this.#tail;
  }

  /** The log is not ours any more: nothing is written from now on. */
  breakOff(error: unknown): void {
    this.#broken ??= error;
  }

  /** Resolves once nothing is on its way, committed or not. */
  async whenSettled(): Promise<void> {
    while (!this.settled) {
      await this.#tail.catch(() => undefined);
      // An older write may be on its way although the newest was refused.
      if (!this.settled) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Writes again. Only while settled; whoever calls this knows that what was not written never was. */
  forgetUnwritten(): void {
    this.#broken = undefined;
  }

  /** What follows from one another by promises alone is one loop iteration. */
  #openBatch(): Batch<Mark> {
    if (this.#batch) return this.#batch;
    let resolve!: () => void;
    let reject!: (error: unknown) => void;
    this.#tail = new Promise((settle, fail) => {
      resolve = settle;
      reject = fail;
    });
    // Not everybody waits; a failure reaches `onFailed` in any case.
    this.#tail.catch(() => undefined);
    const batch: Batch<Mark> = { lines: [], marks: [], resolve, reject };
    this.#batch = batch;
    this.#scheduleCommit(batch);
    return batch;
  }

  #scheduleCommit(batch: Batch<Mark>): void {
    setImmediate(() => {
      if (this.#held) void this.#held.then(() => this.#scheduleCommit(batch));
      else void this.#commit(batch);
    });
  }

  async #commit(batch: Batch<Mark>): Promise<void> {
    this.#batch = undefined;
    // It stands on lines that were not written.
    if (this.#broken !== undefined) return batch.reject(storageError(this.#broken));
    const { log, lease, onCommitted, onFailed, onStored } = this.#options;
    this.#inFlight += 1;
    const begunMs = performance.now();
    let ok = false;
    try {
      const end = await log.append(lease, batch.lines);
      ok = true;
      if (end > this.end) this.end = end;
      onCommitted(batch.marks);
      batch.resolve();
    } catch (error) {
      batch.reject(storageError(error));
      const isFirst = this.#broken === undefined;
      if (isFirst) this.#broken = error;
      onFailed(error, isFirst);
    } finally {
      this.#inFlight -= 1;
      onStored?.({ durationMs: performance.now() - begunMs, ok });
    }
  }
}

function storageError(cause: unknown): RpcError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RpcError("storage_unavailable", `the session's log could not be written: ${why}`, {}, { cause });
}
