import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ListQuery, SessionSummary } from "../catalogue.ts";
import { isValidName } from "../session-key.ts";
import { isMissing, type StoreLog } from "./errors.ts";
import { encodeIndexLine, IndexFile } from "./index-file.ts";
import { eventsFileName, indexFileName } from "./layout.ts";
import type { Limiter } from "./limiter.ts";
import { readSessionHead } from "./session-head.ts";
import { SummaryTable } from "./summary-table.ts";

export interface SessionIndexOptions {
  /** The state directory of one tenant. */
  readonly directory: string;
  readonly durable: boolean;
  readonly flushMs: number;
  readonly log: StoreLog;
  readonly limit: Limiter;
}

interface Change {
  readonly summary: SessionSummary | undefined;
  readonly found: boolean;
}

const compactAboveBytes = 256 * 1024;
const loadToCompactAboveBytes = 8 * 1024 * 1024;
const compactAtGrowth = 4;
const retryMs = 5_000;
const leftoverAfterMs = 3_600_000;
// A directory changed this recently may change again without a newer time stamp.
const timestampGranularityMs = 2_000;

/**
 * The sessions of one tenant: a table in memory, loaded on the first question, over an `IndexFile`.
 * Changes go to the file in one write, at most once per `flushMs`. Sessions that other programs made
 * are found by one look at the names in the state directory, and read once.
 */
export class SessionIndex {
  readonly #options: SessionIndexOptions;
  readonly #file: IndexFile;
  readonly #table = new SummaryTable();
  #pending = new Map<string, Change>();
  #writing: ReadonlyMap<string, Change> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #loaded = false;
  #failed = false;
  #namesReadAt: { readonly changed: number; readonly certain: boolean } | undefined;
  /** Directories without a log so far. */
  #empty: string[] = [];
  #work: Promise<unknown> = Promise.resolve();
  #refreshing: Promise<void> | undefined;
  #flushing: Promise<void> | undefined;

  constructor(options: SessionIndexOptions) {
    this.#options = options;
    this.#file = new IndexFile(join(options.directory, indexFileName), options.durable);
  }

  set(summary: SessionSummary): void {
    this.#change(summary.sessionId, { summary, found: false });
  }

  remove(sessionId: string): void {
    this.#change(sessionId, { summary: undefined, found: false });
  }

  async get(sessionId: string): Promise<SessionSummary | undefined> {
    await this.#refresh();
    if (!(await this.#hasLog(sessionId))) return undefined;
    const known = this.#table.get(sessionId);
    return known ?? this.#addFound(sessionId);
  }

  async list(query: ListQuery): Promise<SessionSummary[]> {
    await this.#refresh();
    await this.#exclusively(() => this.#findOthers());
    return this.#table.list(query);
  }

  /** Writes the changes of `sessionId`, or all, and resolves when they are in the file. */
  flush(sessionId?: string): Promise<void> {
    if (sessionId !== undefined && !this.#pending.has(sessionId)) {
      return this.#writing.has(sessionId) ? (this.#flushing ?? Promise.resolve()) : Promise.resolve();
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const flushed = this.#exclusively(() => this.#write());
    this.#flushing = flushed;
    return flushed;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#work;
    clearTimeout(this.#timer);
  }

  #change(sessionId: string, change: Change): void {
    this.#pending.set(sessionId, change);
    if (this.#loaded) this.#table.apply(sessionId, change.summary, change.found);
    this.#timer ??= setTimeout(() => this.#flushInBackground(), this.#options.flushMs).unref();
  }

  /** Tries again later when the file does not take it; told once, until it does. */
  #flushInBackground(): void {
    this.flush().then(
      () => {
        this.#failed = false;
      },
      (error: unknown) => {
        if (!this.#failed) this.#options.log("could not write the session index", { error });
        this.#failed = true;
        this.#timer ??= setTimeout(() => this.#flushInBackground(), retryMs).unref();
      },
    );
  }

  async #write(): Promise<void> {
    if (this.#pending.size === 0) return;
    this.#writing = this.#pending;
    this.#pending = new Map();
    try {
      await this.#file.append(
        Array.from(this.#writing, ([id, { summary, found }]) => encodeIndexLine(id, summary, found)),
      );
    } catch (error) {
      // Kept for the next flush, unless something newer came.
      for (const [id, change] of this.#writing) {
        if (!this.#pending.has(id)) this.#pending.set(id, change);
      }
      throw error;
    } finally {
      this.#writing = new Map();
    }
    await this.#compactWhenGrown();
  }

  async #compactWhenGrown(): Promise<void> {
    if (!this.#loaded && this.#file.size < loadToCompactAboveBytes) return;
    if (this.#file.size < Math.max(compactAboveBytes, compactAtGrowth * this.#table.bytes)) return;
    await this.#readFile();
    if (this.#file.size < Math.max(compactAboveBytes, compactAtGrowth * this.#table.bytes)) return;
    await this.#file.compact(this.#table.encode());
  }

  /** Brings the table up to date with the file. Calls at the same time share one look. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#exclusively(() => {
      this.#refreshing = undefined;
      return this.#readFile();
    });
    return this.#refreshing;
  }

  async #readFile(): Promise<void> {
    let restarted = !this.#loaded;
    await this.#file.readNew(
      () => {
        restarted = true;
        this.#table.clear();
        this.#namesReadAt = undefined;
      },
      ({ sessionId, summary, found, bytes }) => {
        const pending = this.#pending.get(sessionId);
        if (pending && !pending.found) return;
        // What we found gives way to what the session's owner wrote.
        if (pending && !found) this.#pending.delete(sessionId);
        this.#table.apply(sessionId, summary, found, bytes);
      },
    );
    this.#loaded = true;
    if (!restarted) return;
    for (const [id, change] of this.#pending) this.#table.apply(id, change.summary, change.found);
  }

  /** Adds sessions that are there and not in the table; drops those that are gone. */
  async #findOthers(): Promise<void> {
    const { directory } = this.#options;
    const changed = await stat(directory).then(
      (found) => found.mtimeMs,
      () => undefined,
    );
    if (changed === undefined) return;
    const seen = this.#namesReadAt;
    if (seen?.certain && seen.changed === changed) return this.#indexAll(this.#empty);
    const certain = Date.now() - changed > timestampGranularityMs;
    const names = await readdir(directory);
    const unknown = names.filter((name) => !this.#table.has(name));
    const hasMissing = names.length - unknown.length < this.#table.size;
    await this.#indexAll(unknown.filter(isValidName));
    if (hasMissing) await this.#dropMissing(names);
    if (!seen) void this.#removeLeftovers(names);
    this.#namesReadAt = { changed, certain };
  }

  async #indexAll(names: readonly string[]): Promise<void> {
    const outcomes = await Promise.all(names.map((name) => this.#addFound(name)));
    this.#empty = names.filter((_, at) => outcomes[at] === undefined);
  }

  async #addFound(sessionId: string): Promise<SessionSummary | undefined> {
    const directory = join(this.#options.directory, sessionId);
    const summary = await this.#options
      .limit(() => readSessionHead(directory, sessionId))
      .catch((error: unknown) => {
        this.#options.log("could not read a session to list it", { sessionId, error });
        return undefined;
      });
    // Its owner may have told us more meanwhile.
    if (summary && !this.#table.has(sessionId)) this.#change(sessionId, { summary, found: true });
    return this.#table.get(sessionId);
  }

  async #dropMissing(names: readonly string[]): Promise<void> {
    const there = new Set(names);
    for (const sessionId of this.#table.ids()) {
      // A session made while the names were read is not among them.
      if (!there.has(sessionId) && !(await this.#hasLog(sessionId))) this.remove(sessionId);
    }
  }

  async #hasLog(sessionId: string): Promise<boolean> {
    try {
      await stat(join(this.#options.directory, sessionId, eventsFileName));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** What a crash left of sessions being deleted or made; the latter only when surely abandoned. */
  async #removeLeftovers(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (!name.startsWith(".trash-") && !name.startsWith(".new-")) continue;
      const path = join(this.#options.directory, name);
      const age = await stat(path).then(
        (found) => Date.now() - found.ctimeMs,
        () => 0,
      );
      if (age < leftoverAfterMs) continue;
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** One job on the file at a time. */
  #exclusively<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#work.then(job);
    this.#work = result.catch(() => undefined);
    return result;
  }
}
