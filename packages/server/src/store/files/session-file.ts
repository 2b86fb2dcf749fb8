import { fdatasync, ftruncate, write } from "node:fs";
import type { Lease, SessionKey } from "../session-key.ts";
import { StoreError } from "../store-error.ts";
import type { DescriptorCache, DescriptorOwner } from "./descriptor-cache.ts";
import { toStoreError } from "./errors.ts";

/** What all open sessions of a store share, so that each of them stays small. */
export interface SessionFileHost {
  readonly descriptors: DescriptorCache<SessionFile>;
  /** False when `write` itself is durable (O_DSYNC), or when nobody asked for durability. */
  readonly syncAfterWrite: boolean;
  /** Makes the directory entries of a new session durable. */
  syncEntries(key: SessionKey): Promise<void>;
  /** Looks at the disk: does this generation still hold the session? */
  lookForLease(session: SessionFile): Promise<boolean>;
  /** The same synchronously, and cheaper: for a disk that has just answered for the same name. */
  isHeld(session: SessionFile): boolean;
  /** Told once that the session was found not to be held any more. */
  onLost(session: SessionFile, why: StoreError): void;
}

/** A disk that took longer for what came before may take so long for the next look that nothing else is answered. */
const SLOW_MS = 20;

interface Group {
  readonly chunks: Buffer[];
  readonly waiting: Waiter[];
  bytes: number;
}

interface Waiter {
  /** The cursor of this append, counted from the start of its group. */
  readonly offset: number;
  readonly resolve: (cursor: number) => void;
  readonly reject: (error: StoreError) => void;
}

/**
 * One open session's log as its lease holder sees it. At most one write is under way; appends that
 * come meanwhile gather and share the next one (group commit).
 *
 * The lease is looked at before a write and again before it is acknowledged: an owner that lost it
 * writes nothing more, and what was acknowledged was in the file before the next owner read its end.
 * The first look goes by a thread of the pool, as the write does: a disk that does not answer holds up nobody else.
 */
export class SessionFile implements DescriptorOwner, SessionKey {
  readonly tenant: string;
  readonly sessionId: string;
  readonly generation: number;
  /** The cursor behind the last committed line, in bytes. */
  end: number;
  fd = -1;
  busy = false;
  #host: SessionFileHost;
  #queued: Group | undefined;
  #refusal: string | undefined;
  #entriesSynced: boolean;
  #tailIsDirty = false;
  #drained: (() => void)[] | undefined;

  constructor(host: SessionFileHost, key: SessionKey, start: SessionFileStart) {
    this.#host = host;
    this.tenant = key.tenant;
    this.sessionId = key.sessionId;
    this.generation = start.generation;
    this.end = start.end;
    this.#entriesSynced = start.entriesSynced;
  }

  get lease(): Lease {
    const { tenant, sessionId, generation } = this;
    return { tenant, sessionId, generation };
  }

  append(lines: readonly string[]): Promise<number> {
    if (this.#refusal) return Promise.reject(new StoreError("conflict", this.#refusal));
    return new Promise((resolve, reject) => {
      const chunk = encodeLines(lines);
      this.#queued ??= { chunks: [], waiting: [], bytes: 0 };
      const group = this.#queued;
      group.chunks.push(chunk);
      group.bytes += chunk.length;
      group.waiting.push({ offset: group.bytes, resolve, reject });
      if (this.busy) return;
      this.busy = true;
      // A microtask later, so that calls of the same tick share the first write too.
      queueMicrotask(() => void this.#commitGroups());
    });
  }

  /** Refuses later appends with `reason`, and resolves when the earlier ones have ended. */
  retire(reason: string): Promise<void> {
    this.#refusal ??= reason;
    if (!this.busy) {
      this.#host.descriptors.forget(this);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#drained ??= [];
      this.#drained.push(resolve);
    });
  }

  async #commitGroups(): Promise<void> {
    while (this.#queued) {
      const group = this.#queued;
      this.#queued = undefined;
      try {
        await this.#commit(group);
      } catch (error) {
        const failure = toStoreError(error, `append to session ${this.sessionId}`);
        for (const waiter of group.waiting) waiter.reject(failure);
        // What came meanwhile stands on lines that are not there: the log would have a hole.
        for (const waiter of this.#takeQueued()) waiter.reject(failure);
      }
    }
    this.busy = false;
    if (this.#refusal) this.#host.descriptors.forget(this);
    else this.#host.descriptors.idle();
    const drained = this.#drained;
    this.#drained = undefined;
    if (drained) for (const resolve of drained) resolve();
  }

  #takeQueued(): readonly Waiter[] {
    const waiting = this.#queued?.waiting ?? [];
    this.#queued = undefined;
    return waiting;
  }

  async #commit(group: Group): Promise<void> {
    const startedMs = performance.now();
    // Before opening too: the file of a session deleted elsewhere is missing, which is a conflict.
    if (!(await this.#host.lookForLease(this))) this.#lose();
    let fd = this.#host.descriptors.acquire(this);
    if (typeof fd !== "number") {
      fd = await fd;
      await this.#assertHeld(startedMs);
    }
    if (this.#tailIsDirty) await this.#cutTail(fd);
    const bytes = group.chunks.length === 1 ? group.chunks[0]! : Buffer.concat(group.chunks);
    const entries = this.#entriesSynced ? undefined : this.#host.syncEntries(this);
    try {
      await writeWhole(fd, bytes);
      if (this.#host.syncAfterWrite) await sync(fd);
      if (entries) await entries;
    } catch (error) {
      entries?.catch(() => undefined);
      this.#tailIsDirty = true;
      await this.#assertHeld(startedMs);
      await this.#cutTail(fd).catch(() => undefined);
      throw error;
    }
    await this.#assertHeld(startedMs);
    this.#entriesSynced = true;
    const start = this.end;
    this.end = start + group.bytes;
    for (const waiter of group.waiting) waiter.resolve(start + waiter.offset);
  }

  /** @param startedMs when the commit first looked for the lease: where it took long, the disk is not waited for. */
  async #assertHeld(startedMs: number): Promise<void> {
    const isSlow = performance.now() - startedMs > SLOW_MS;
    const isHeld = isSlow ? await this.#host.lookForLease(this) : this.#host.isHeld(this);
    if (!isHeld) this.#lose();
  }

  #lose(): never {
    const reason =
      `session ${this.sessionId} is no longer held under generation ${this.generation}: it was ` +
      "deleted or taken over; open it again";
    const error = new StoreError("conflict", reason);
    if (this.#refusal === undefined) {
      this.#refusal = reason;
      this.#host.onLost(this, error);
    }
    throw error;
  }

  /** Removes what a failed write may have left behind the last committed line. */
  async #cutTail(fd: number): Promise<void> {
    await truncate(fd, this.end);
    this.#tailIsDirty = false;
  }
}

export interface SessionFileStart {
  readonly generation: number;
  readonly end: number;
  /** False for a session whose directory entries may not be durable yet. */
  readonly entriesSynced: boolean;
}

function encodeLines(lines: readonly string[]): Buffer {
  for (const line of lines) {
    if (line.includes("\n")) throw new TypeError("a log line must not contain a newline");
  }
  if (lines.length === 1) return Buffer.from(`${lines[0]}\n`, "utf8");
  return lines.length === 0 ? Buffer.alloc(0) : Buffer.from(`${lines.join("\n")}\n`, "utf8");
}

function writeWhole(fd: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let done = 0;
    const writeRest = () => write(fd, bytes, done, bytes.length - done, null, onWritten);
    const onWritten = (error: Error | null, written: number) => {
      if (error) return reject(error);
      done += written;
      if (done < bytes.length) writeRest();
      else resolve();
    };
    writeRest();
  });
}

function sync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => (error ? reject(error) : resolve()));
  });
}

function truncate(fd: number, length: number): Promise<void> {
  return new Promise((resolve, reject) => {
    ftruncate(fd, length, (error) => (error ? reject(error) : resolve()));
  });
}
