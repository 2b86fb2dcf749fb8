/** What the parts of one store on files share. */
import { constants, open } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { type Lease, notHeld, type SessionKey } from "../session-key.ts";
import type { StoreError } from "../store-error.ts";
import { DescriptorCache } from "./descriptor-cache.ts";
import { DirectorySync } from "./directory-sync.ts";
import { type StoreLog, toStoreError } from "./errors.ts";
import { eventsFileName, sessionDirectory, stateDirectory } from "./layout.ts";
import { isLeaseHeld, lookForLease } from "./lease.ts";
import { createLimiter } from "./limiter.ts";
import type { SessionFile, SessionFileHost } from "./session-file.ts";
import { SessionIndex } from "./session-index.ts";
import { SessionTable } from "./session-table.ts";

export interface FileStoreOptions {
  /** The directory that holds everything; made when it is missing. On a disk of this machine. */
  readonly home: string;
  /**
   * `fsync` (default): what is acknowledged survives a power cut. `os`: it survives the end of the
   * process, and a power cut may take the last seconds.
   */
  readonly durability?: "fsync" | "os";
  /** Descriptors kept open for appending. Default 256. */
  readonly maxDescriptors?: number;
  /** How long another process may take to answer for a session it holds. Default 5,000. */
  readonly handoverTimeoutMs?: number;
  /** How long a change of a summary may stay unwritten. Default 1,000. */
  readonly indexFlushMs?: number;
  /** Told of repaired tails, skipped lines and the like. Default: nobody is. */
  readonly log?: StoreLog;
}

const openFile = promisify(open);
// One trip to the thread pool instead of two, where the system can do both in one call.
const writesDurably = process.platform === "linux" ? constants.O_DSYNC : 0;
const shortLivedDescriptors = 32;

export class FileHome {
  readonly path: string;
  readonly options: FileStoreOptions;
  readonly log: StoreLog;
  readonly isDurable: boolean;
  /** The flags for opening a session's log to append. */
  readonly openFlags: number;
  readonly host: SessionFileHost;
  readonly held = new SessionTable();
  readonly directories = new DirectorySync();
  readonly limit = createLimiter(shortLivedDescriptors);
  /** Told of sessions that this process only believed to hold. */
  onLost: (lease: Lease, why: StoreError) => void = () => undefined;
  readonly #indexes = new Map<string, SessionIndex>();

  constructor(options: FileStoreOptions) {
    this.path = resolve(options.home);
    this.options = options;
    this.log = options.log ?? (() => undefined);
    this.isDurable = options.durability !== "os";
    this.openFlags = constants.O_WRONLY | constants.O_APPEND | (this.isDurable ? writesDurably : 0);
    this.host = {
      descriptors: new DescriptorCache(options.maxDescriptors ?? 256, (session: SessionFile) =>
        openFile(this.logPath(session), this.openFlags),
      ),
      syncAfterWrite: this.isDurable && !writesDurably,
      syncEntries: (key) => this.#syncEntries(key),
      lookForLease: (session) => lookForLease(this.directory(session), session.generation),
      isHeld: (session) => isLeaseHeld(this.directory(session), session.generation),
      onLost: ({ lease }, why) => void setImmediate(() => this.onLost(lease, why)),
    };
  }

  /** A session's own directory. The key must be valid. */
  directory(key: SessionKey): string {
    return sessionDirectory(this.path, key);
  }

  logPath(key: SessionKey): string {
    return `${this.directory(key)}/${eventsFileName}`;
  }

  /** @throws StoreError `conflict` when the lease is not this process's any more. */
  sessionOf(lease: Lease): SessionFile {
    const session = this.held.get(lease);
    if (session?.generation !== lease.generation) throw notHeld(lease);
    return session;
  }

  /** Ends a session's appends, and the hold on it. */
  async retire(session: SessionFile): Promise<void> {
    await session.retire(`the lease of session ${session.sessionId} was released`);
    this.held.remove(session);
  }

  index(tenant: string): SessionIndex {
    const known = this.#indexes.get(tenant);
    if (known) return known;
    const index = new SessionIndex({
      directory: stateDirectory(this.path, tenant),
      durable: this.isDurable,
      flushMs: this.options.indexFlushMs ?? 1_000,
      log: this.log,
      limit: this.limit,
    });
    this.#indexes.set(tenant, index);
    return index;
  }

  async closeIndexes(): Promise<void> {
    for (const index of this.#indexes.values())
      await index.close().catch((error: unknown) => this.log("could not write the session index", { error }));
  }

  /** Errors of the system become the store's. */
  async guard<T>(doing: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw toStoreError(error, doing);
    }
  }

  async #syncEntries(key: SessionKey): Promise<void> {
    await Promise.all([
      this.directories.sync(this.directory(key)),
      this.directories.sync(stateDirectory(this.path, key.tenant)),
    ]);
  }
}
