import type { SessionSummary } from "../catalogue.ts";
import type { Claimed, HandoverDecision, Owner, Ownership } from "../ownership.ts";
import type { Lease, SessionKey } from "../session-key.ts";
import { StoreError } from "../store-error.ts";
import type { MemorySessionFiles } from "./memory-session-files.ts";
import { leaseOf, type MemoryNode, type MemorySession } from "./memory-storage.ts";

export class MemoryOwnership implements Ownership {
  readonly #node: MemoryNode;
  readonly #files: MemorySessionFiles;

  constructor(node: MemoryNode, files: MemorySessionFiles) {
    this.#node = node;
    this.#files = files;
  }

  async create({ tenant, sessionId }: SessionKey, summary: SessionSummary): Promise<Lease> {
    const key = { tenant, sessionId };
    if (this.#node.storage.find(key)) {
      throw new StoreError("conflict", `session ${sessionId} exists already`);
    }
    const session: MemorySession = {
      key,
      lines: [],
      files: undefined,
      summary,
      checkpoint: undefined,
      generation: 1,
      owner: this.#node,
    };
    this.#node.storage.add(session);
    // What another process may have left behind.
    await this.#files.removeCopy(session);
    return leaseOf(session);
  }

  async claim(key: SessionKey): Promise<Claimed> {
    const session = this.#node.storage.find(key);
    if (!session) throw new StoreError("not-found", `no session ${key.sessionId}`);
    await this.#askOwner(session);
    session.owner = this.#node;
    session.generation++;
    try {
      await this.#files.checkOut(session);
    } catch (error) {
      session.owner = undefined;
      throw error;
    }
    const { checkpoint } = session;
    const claimed = { lease: leaseOf(session), end: session.lines.length };
    return checkpoint ? { ...claimed, checkpoint } : claimed;
  }

  holds(lease: Lease): boolean {
    return this.#node.holds(lease);
  }

  async ownerOf(key: SessionKey): Promise<Owner | undefined> {
    const node = this.#node.storage.find(key)?.owner;
    return node && { node: node.id, address: node.id, isHere: node === this.#node };
  }

  async release(lease: Lease): Promise<void> {
    if (!this.#node.holds(lease)) return;
    const session = this.#node.owned(lease);
    try {
      await this.#files.checkIn(lease);
    } finally {
      if (this.#node.holds(lease)) {
        session.owner = undefined;
        await this.#files.removeCopy(session);
      }
    }
  }

  async delete(key: SessionKey): Promise<boolean> {
    const session = this.#node.storage.find(key);
    if (!session) return false;
    if (session.owner !== this.#node) await this.#askOwner(session);
    session.owner = undefined;
    const isFirst = this.#node.storage.find(key) === session && this.#node.storage.remove(session);
    await this.#files.removeCopy(session);
    return isFirst;
  }

  onHandover(decide: HandoverDecision): void {
    this.#node.decide = decide;
  }

  /** Nobody takes a session from a node in memory without asking it. */
  onLost(): void {}

  async #askOwner(session: MemorySession): Promise<void> {
    const { owner, key } = session;
    if (!owner) return;
    if (owner !== this.#node && (await owner.decide?.(key))) {
      if (session.owner === owner) session.owner = undefined;
      if (!session.owner) return;
    }
    throw new StoreError("conflict", `session ${key.sessionId} is in use; close it there first`);
  }
}
