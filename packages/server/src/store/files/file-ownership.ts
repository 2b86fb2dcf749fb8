import { randomBytes } from "node:crypto";
import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { SessionSummary } from "../catalogue.ts";
import type { Claimed, HandoverDecision, Owner, Ownership } from "../ownership.ts";
import { assertValidKey, isValidName, type Lease, type SessionKey } from "../session-key.ts";
import { StoreError } from "../store-error.ts";
import { readCheckpoint } from "./checkpoint-file.ts";
import { isMissing, isOutOfSpace, toStoreError } from "./errors.ts";
import type { FileHome } from "./file-home.ts";
import { askOwner, InstanceSocket, isListening, type OwnerAnswer } from "./instance-socket.ts";
import { stateDirectory } from "./layout.ts";
import { firstClaim, type LeaseTaker, readOwner, takeLease } from "./lease.ts";
import { createLimiter } from "./limiter.ts";
import { SessionFile } from "./session-file.ts";
import { makeSession } from "./session-maker.ts";
import { repairTail } from "./tail-repair.ts";

const sessionsTakenAtOnce = 64;

/**
 * Leases in the sessions' directories; one is as good as the local socket of its owner, which ends with its process.
 * Processes ask each other for sessions over the same socket.
 */
export class FileOwnership implements Ownership {
  readonly #home: FileHome;
  readonly #socket: InstanceSocket;
  /** A bound of its own: taking a session may wait for another process, and reading must not. */
  readonly #takeLimit = createLimiter(sessionsTakenAtOnce);
  /** Sessions being opened or deleted: not held yet, and not to be given away. */
  readonly #taking = new Set<string>();
  #decide: HandoverDecision | undefined;
  #closed = false;

  constructor(home: FileHome) {
    this.#home = home;
    this.#socket = new InstanceSocket(home.path, (key) => this.#answer(key));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Exists for every process when it resolves; survives a power cut from the first append on. */
  async create(key: SessionKey, summary: SessionSummary): Promise<Lease> {
    assertValidKey(key);
    return this.#take(key, "create", async (taker) => {
      const fd = await makeSession(this.#home.path, key, firstClaim(taker), this.#home.openFlags);
      const entriesSynced = !this.#home.isDurable;
      const session = new SessionFile(this.#home.host, key, { generation: 1, end: 0, entriesSynced });
      this.#home.host.descriptors.adopt(session, fd);
      this.#home.held.add(session);
      this.#home.index(key.tenant).set(summary);
      return session.lease;
    });
  }

  async claim(key: SessionKey): Promise<Claimed> {
    assertValidKey(key);
    return this.#take(key, "open", (taker) => this.#takeLimit(() => this.#claim(key, taker)));
  }

  async #claim(key: SessionKey, taker: LeaseTaker): Promise<Claimed> {
    const directory = this.#home.directory(key);
    const path = this.#home.logPath(key);
    if (!(await exists(path))) throw new StoreError("not-found", `no session ${key.sessionId}`);
    const generation = await takeLease(directory, key, taker);
    const { end, repaired } = await repairTail(path);
    if (repaired) {
      this.#home.log("repaired the end of a session's log", { sessionId: key.sessionId, ...repaired });
    }
    const checkpoint = await readCheckpoint(directory, path, end);
    const session = new SessionFile(this.#home.host, key, { generation, end, entriesSynced: true });
    this.#home.held.add(session);
    return {
      lease: session.lease,
      end,
      ...(checkpoint ? { checkpoint } : {}),
      ...(repaired ? { repaired } : {}),
    };
  }

  holds(lease: Lease): boolean {
    const session = this.#home.held.get(lease);
    return session?.generation === lease.generation && this.#home.host.isHeld(session);
  }

  async ownerOf(key: SessionKey): Promise<Owner | undefined> {
    assertValidKey(key);
    const record = await this.#home.guard("look for a session's owner", () =>
      readOwner(this.#home.directory(key)),
    );
    if (!record || record.socket === "" || !(await isListening(record.socket))) return undefined;
    const { instance: node, socket: address } = record;
    return { node, address, isHere: node === this.#socket.id };
  }

  async release(lease: Lease): Promise<void> {
    const session = this.#home.held.get(lease);
    if (session?.generation !== lease.generation) return;
    await this.#home.retire(session);
    await this.#home
      .index(lease.tenant)
      .flush(lease.sessionId)
      .catch((error: unknown) => this.#home.log("could not write the session index", { error }));
  }

  async delete(key: SessionKey): Promise<boolean> {
    assertValidKey(key);
    const directory = this.#home.directory(key);
    const held = this.#home.held.get(key);
    if (held) await this.#home.retire(held);
    else if (!(await exists(directory))) return false;
    return this.#take(key, "delete", async (taker) => {
      try {
        await this.#takeLimit(() => takeLease(directory, key, taker)).catch(allowWithoutSpace);
        const state = stateDirectory(this.#home.path, key.tenant);
        const trash = join(state, `.trash-${randomBytes(8).toString("hex")}`);
        await rename(directory, trash);
        this.#home.index(key.tenant).remove(key.sessionId);
        if (this.#home.isDurable) await this.#home.directories.sync(state);
        await rm(trash, { recursive: true, force: true });
        return true;
      } catch (error) {
        // Somebody else deleted it at the same time.
        if (isMissing(error) || (error instanceof StoreError && error.kind === "not-found")) return false;
        throw error;
      }
    });
  }

  onHandover(decide: HandoverDecision): void {
    this.#decide = decide;
  }

  onLost(told: (lease: Lease, why: StoreError) => void): void {
    this.#home.onLost = told;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#home.held.all().map((session) => this.#home.retire(session)));
    await this.#home.closeIndexes();
    // Last: while it listens, others know that this instance may still write.
    await this.#socket.close();
  }

  /** Answers another process that wants a session. */
  async #answer(key: SessionKey): Promise<OwnerAnswer> {
    if (!isValidName(key.tenant) || !isValidName(key.sessionId)) return "kept";
    if (this.#taking.has(takingName(key))) return "kept";
    const session = this.#home.held.get(key);
    if (!session) return "free";
    const given = await this.#decide?.({ tenant: key.tenant, sessionId: key.sessionId });
    if (!given) return "kept";
    await this.release(session.lease);
    return this.#home.held.get(key) || this.#taking.has(takingName(key)) ? "kept" : "free";
  }

  /** Runs what makes this instance the session's owner, once at a time for each session. */
  async #take<T>(key: SessionKey, doing: string, run: (taker: LeaseTaker) => Promise<T>): Promise<T> {
    const name = takingName(key);
    if (this.#closed) throw new StoreError("unavailable", "the store is closed");
    const held = this.#home.held.get(key);
    // Deleted or taken over behind our back: this instance only believes that it holds it.
    if (held && !(await this.#home.host.lookForLease(held))) await this.#home.retire(held);
    if (this.#home.held.get(key) || this.#taking.has(name)) {
      const state = doing === "create" ? "exists already" : "is in use by this process";
      throw new StoreError("conflict", `session ${key.sessionId} ${state}`);
    }
    this.#taking.add(name);
    try {
      const socket = await this.#socket.listen();
      const timeoutMs = this.#home.options.handoverTimeoutMs ?? 5_000;
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
    const session = this.#home.held.get(key);
    if (session) await this.#home.retire(session);
    throw new StoreError("unavailable", "the store was closed meanwhile");
  }
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
