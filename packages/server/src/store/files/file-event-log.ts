import { randomBytes } from "node:crypto";
import { constants, open } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import {
  type Checkpoint,
  type EventLog,
  type Lease,
  type ListQuery,
  type OpenedLog,
  type ReadRange,
  type SessionKey,
  type SessionSummary,
  type StoredLine,
  StoreError,
} from "../event-log.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint-file.ts";
import { DescriptorCache } from "./descriptor-cache.ts";
import { directorySize } from "./directory-size.ts";
import { DirectorySync } from "./directory-sync.ts";
import { isMissing, isOutOfSpace, type StoreLog, toStoreError } from "./errors.ts";
import { askOwner, InstanceSocket, type OwnerAnswer } from "./instance-socket.ts";
import {
  assertValidKey,
  assertValidTenant,
  defaultTenant,
  eventsFileName,
  isValidName,
  sessionDirectory,
  stateDirectory,
  tenantsDirectory,
} from "./layout.ts";
import { firstClaim, isLeaseHeld, type LeaseTaker, takeLease } from "./lease.ts";
import { createLimiter } from "./limiter.ts";
import { readLines } from "./line-reader.ts";
import { SessionFile, type SessionFileHost } from "./session-file.ts";
import { SessionIndex } from "./session-index.ts";
import { makeSession } from "./session-maker.ts";
import { SessionTable } from "./session-table.ts";
import { repairTail } from "./tail-repair.ts";
import { tightenHome } from "./tighten-home.ts";

export interface FileEventLogOptions {
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
const sessionsTakenAtOnce = 64;

/**
 * The default store: one file of lines a session, in the layout of the Copilot CLI. Any number of
 * processes of one machine may share a home. It must not be shared between machines: a lease is as
 * good as the socket of its owner, which no other machine can reach.
 *
 * A batch is committed whole or not at all as far as any answer tells; a crash before the answer may
 * leave the first lines of a batch that was never acknowledged.
 */
export class FileEventLog implements EventLog {
  readonly #home: string;
  readonly #options: FileEventLogOptions;
  readonly #log: StoreLog;
  readonly #socket: InstanceSocket;
  readonly #host: SessionFileHost;
  readonly #openFlags: number;
  readonly #directories = new DirectorySync();
  readonly #limit = createLimiter(shortLivedDescriptors);
  /** A bound of its own: taking a session may wait for another process, and reading must not. */
  readonly #takeLimit = createLimiter(sessionsTakenAtOnce);
  readonly #held = new SessionTable();
  /** Sessions being opened or deleted: not held yet, and not to be given away. */
  readonly #taking = new Set<string>();
  readonly #indexes = new Map<string, SessionIndex>();
  #decide: ((key: SessionKey) => Promise<boolean>) | undefined;
  #closed = false;

  constructor(options: FileEventLogOptions) {
    this.#home = resolve(options.home);
    this.#options = options;
    this.#log = options.log ?? (() => undefined);
    this.#socket = new InstanceSocket(this.#home, (key) => this.#answer(key));
    const durable = this.#isDurable();
    this.#openFlags = constants.O_WRONLY | constants.O_APPEND | (durable ? writesDurably : 0);
    this.#host = {
      descriptors: new DescriptorCache(options.maxDescriptors ?? 256, (session: SessionFile) =>
        openFile(this.#logPath(session), this.#openFlags),
      ),
      syncAfterWrite: durable && !writesDurably,
      syncEntries: (key) => this.#syncEntries(key),
      isHeld: (session) => isLeaseHeld(this.#directory(session), session.generation),
    };
  }

  /** Exists for every process when it resolves; survives a power cut from the first append on. */
  async create(key: SessionKey, summary: SessionSummary): Promise<Lease> {
    assertValidKey(key);
    return this.#take(key, "create", async (taker) => {
      const fd = await makeSession(this.#home, key, firstClaim(taker), this.#openFlags);
      const entriesSynced = !this.#isDurable();
      const session = new SessionFile(this.#host, key, { generation: 1, end: 0, entriesSynced });
      this.#host.descriptors.adopt(session, fd);
      this.#held.add(session);
      this.#index(key.tenant).set(summary);
      return toLease(session);
    });
  }

  async open(key: SessionKey): Promise<OpenedLog> {
    assertValidKey(key);
    return this.#take(key, "open", (taker) => this.#takeLimit(() => this.#open(key, taker)));
  }

  async #open(key: SessionKey, taker: LeaseTaker): Promise<OpenedLog> {
    const directory = this.#directory(key);
    const path = this.#logPath(key);
    if (!(await exists(path))) throw new StoreError("not-found", `no session ${key.sessionId}`);
    const generation = await takeLease(directory, key, taker);
    const { end, repaired } = await repairTail(path);
    if (repaired) {
      this.#log("repaired the end of a session's log", { sessionId: key.sessionId, ...repaired });
    }
    const checkpoint = await readCheckpoint(directory, path, end);
    const session = new SessionFile(this.#host, key, { generation, end, entriesSynced: true });
    this.#held.add(session);
    return {
      lease: toLease(session),
      end,
      ...(checkpoint ? { checkpoint } : {}),
      ...(repaired ? { repaired } : {}),
    };
  }

  append(lease: Lease, lines: readonly string[]): Promise<number> {
    const session = this.#held.get(lease);
    if (session?.generation !== lease.generation) return Promise.reject(notHeld(lease));
    return session.append(lines);
  }

  read(key: SessionKey, range: ReadRange = {}): AsyncIterable<readonly StoredLine[]> {
    assertValidKey(key);
    const committed = this.#held.get(key)?.end;
    return readLines({
      path: this.#logPath(key),
      sessionId: key.sessionId,
      from: Math.max(0, range.from ?? 0),
      to: range.to === undefined ? committed : Math.min(range.to, committed ?? range.to),
      log: this.#log,
      limit: this.#limit,
    });
  }

  async readCheckpoint(lease: Lease): Promise<Checkpoint | undefined> {
    const session = this.#sessionOf(lease);
    const directory = this.#directory(lease);
    return this.#guard(`read the checkpoint of session ${lease.sessionId}`, () =>
      this.#limit(() => readCheckpoint(directory, this.#logPath(lease), session.end)),
    );
  }

  async checkpoint(lease: Lease, checkpoint: Checkpoint): Promise<void> {
    const session = this.#sessionOf(lease);
    const isHeld = () => this.#held.get(lease) === session && this.#host.isHeld(session);
    const written = await this.#limit(() =>
      writeCheckpoint(this.#directory(lease), checkpoint, isHeld),
    ).catch((error: unknown) => {
      if (isMissing(error)) return false;
      throw toStoreError(error, `write the checkpoint of session ${lease.sessionId}`);
    });
    if (!written) throw notHeld(lease);
  }

  setSummary(lease: Lease, summary: SessionSummary): void {
    this.#sessionOf(lease);
    this.#index(lease.tenant).set(summary);
  }

  async release(lease: Lease): Promise<void> {
    const session = this.#held.get(lease);
    if (session?.generation !== lease.generation) return;
    await this.#retire(session);
    await this.#index(lease.tenant)
      .flush(lease.sessionId)
      .catch((error: unknown) => this.#log("could not write the session index", { error }));
  }

  async get(key: SessionKey): Promise<SessionSummary | undefined> {
    assertValidKey(key);
    return this.#guard("read the session index", () => this.#index(key.tenant).get(key.sessionId));
  }

  async list(tenant: string, query: ListQuery = {}): Promise<SessionSummary[]> {
    assertValidTenant(tenant);
    return this.#guard("list the sessions", () => this.#index(tenant).list(query));
  }

  async delete(key: SessionKey): Promise<boolean> {
    assertValidKey(key);
    const directory = this.#directory(key);
    const held = this.#held.get(key);
    if (held) await this.#retire(held);
    else if (!(await exists(directory))) return false;
    return this.#take(key, "delete", async (taker) => {
      try {
        await this.#takeLimit(() => takeLease(directory, key, taker)).catch(allowWithoutSpace);
        const state = stateDirectory(this.#home, key.tenant);
        const trash = join(state, `.trash-${randomBytes(8).toString("hex")}`);
        await rename(directory, trash);
        this.#index(key.tenant).remove(key.sessionId);
        if (this.#isDurable()) await this.#directories.sync(state);
        await rm(trash, { recursive: true, force: true });
        return true;
      } catch (error) {
        // Somebody else deleted it at the same time.
        if (isMissing(error) || (error instanceof StoreError && error.kind === "not-found")) return false;
        throw error;
      }
    });
  }

  /** The session's own directory, where its log is too. */
  workspacePath(key: SessionKey): string {
    assertValidKey(key);
    return this.#directory(key);
  }

  onHandover(decide: (key: SessionKey) => Promise<boolean>): void {
    this.#decide = decide;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#held.all().map((session) => this.#retire(session)));
    for (const index of this.#indexes.values()) {
      await index.close().catch((error: unknown) => {
        this.#log("could not write the session index", { error });
      });
    }
    // Last: while it listens, others know that this instance may still write.
    await this.#socket.close();
  }

  /** Answers another process that wants a session. */
  async #answer(key: SessionKey): Promise<OwnerAnswer> {
    if (!isValidName(key.tenant) || !isValidName(key.sessionId)) return "kept";
    if (this.#taking.has(takingName(key))) return "kept";
    const session = this.#held.get(key);
    if (!session) return "free";
    const given = await this.#decide?.({ tenant: key.tenant, sessionId: key.sessionId });
    if (!given) return "kept";
    await this.release(toLease(session));
    return this.#held.get(key) || this.#taking.has(takingName(key)) ? "kept" : "free";
  }

  /** Runs what makes this instance the session's owner, once at a time for each session. */
  async #take<T>(key: SessionKey, doing: string, run: (taker: LeaseTaker) => Promise<T>): Promise<T> {
    const name = takingName(key);
    if (this.#closed) throw new StoreError("unavailable", "the store is closed");
    const held = this.#held.get(key);
    // Deleted or taken over behind our back: this instance only believes that it holds it.
    if (held && !this.#host.isHeld(held)) await this.#retire(held);
    if (this.#held.get(key) || this.#taking.has(name)) {
      const state = doing === "create" ? "exists already" : "is in use by this process";
      throw new StoreError("conflict", `session ${key.sessionId} ${state}`);
    }
    this.#taking.add(name);
    try {
      const socket = await this.#socket.listen();
      const timeoutMs = this.#options.handoverTimeoutMs ?? 5_000;
      const result = await run({
        instance: this.#socket.id,
        socket,
        ask: (path, asked) => askOwner(path, asked, timeoutMs),
      });
      if (this.#closed) await this.#giveUp(key);
      return result;
    } catch (error) {
      throw toStoreError(error, `${doing} session ${key.sessionId}`);
    } finally {
      this.#taking.delete(name);
    }
  }

  /** Closed while it was taken: nobody may come to hold it, now that the socket goes. */
  async #giveUp(key: SessionKey): Promise<void> {
    const session = this.#held.get(key);
    if (session) await this.#retire(session);
    throw new StoreError("unavailable", "the store was closed meanwhile");
  }

  async #guard<T>(doing: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw toStoreError(error, doing);
    }
  }

  async #retire(session: SessionFile): Promise<void> {
    await session.retire(`the lease of session ${session.sessionId} was released`);
    this.#held.remove(session);
  }

  #sessionOf(lease: Lease): SessionFile {
    const session = this.#held.get(lease);
    if (session?.generation !== lease.generation) throw notHeld(lease);
    return session;
  }

  #index(tenant: string): SessionIndex {
    const known = this.#indexes.get(tenant);
    if (known) return known;
    const index = new SessionIndex({
      directory: stateDirectory(this.#home, tenant),
      durable: this.#isDurable(),
      flushMs: this.#options.indexFlushMs ?? 1_000,
      log: this.#log,
      limit: this.#limit,
    });
    this.#indexes.set(tenant, index);
    return index;
  }

  async tenants(): Promise<string[]> {
    const names = await readdir(tenantsDirectory(this.#home)).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw toStoreError(error, "list the tenants");
    });
    return [defaultTenant, ...names.filter(isValidName)];
  }

  async storedBytes(tenant: string): Promise<number> {
    assertValidTenant(tenant);
    return this.#guard("measure what is stored", () => directorySize(stateDirectory(this.#home, tenant)));
  }

  /** Writes a file where the logs are, and takes it away again. */
  async check(): Promise<void> {
    if (this.#closed) throw new StoreError("unavailable", "the store is closed");
    await this.#guard("write a test file", async () => {
      await mkdir(this.#home, { recursive: true, mode: 0o700 });
      const path = join(this.#home, `.check-${process.pid}-${randomBytes(4).toString("hex")}`);
      try {
        await writeFile(path, "x", { flush: this.#isDurable(), mode: 0o600 });
      } finally {
        await rm(path, { force: true });
      }
    });
  }

  async #syncEntries(key: SessionKey): Promise<void> {
    await Promise.all([
      this.#directories.sync(this.#directory(key)),
      this.#directories.sync(stateDirectory(this.#home, key.tenant)),
    ]);
  }

  #isDurable(): boolean {
    return this.#options.durability !== "os";
  }

  #directory(key: SessionKey): string {
    return sessionDirectory(this.#home, key);
  }

  #logPath(key: SessionKey): string {
    return join(this.#directory(key), eventsFileName);
  }
}

/** The store on files. Nothing is read or made before the first call. */
export function createFileEventLog(options: FileEventLogOptions): FileEventLog {
  void tightenHome(options.home, options.log ?? (() => undefined));
  return new FileEventLog(options);
}

function toLease(session: SessionFile): Lease {
  const { tenant, sessionId, generation } = session;
  return { tenant, sessionId, generation };
}

function notHeld(lease: Lease): StoreError {
  return new StoreError(
    "conflict",
    `session ${lease.sessionId} is not held under generation ${lease.generation}; open it again`,
  );
}

/**
 * A full disk takes no claim, and must not keep from deletion what fills it. Its owner was asked before: it has
 * gone, or given the session up; and nobody else can claim it there.
 */
function allowWithoutSpace(error: unknown): void {
  if (!isOutOfSpace(error)) throw error;
}

function takingName(key: SessionKey): string {
  return `${key.tenant}/${key.sessionId}`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw toStoreError(error, "look for a session");
  }
}
