/** What several stores in memory may share, as processes share a home directory; it is all that outlives one of them. */
import { randomUUID } from "node:crypto";
import type { SessionSummary } from "../catalogue.ts";
import type { Checkpoint } from "../event-log.ts";
import type { HandoverDecision } from "../ownership.ts";
import { assertValidKey, type Lease, notHeld, type SessionKey } from "../session-key.ts";
import type { DocumentText } from "../tenant-store.ts";

export interface KeptFile {
  readonly content: Uint8Array;
  readonly modifiedMs: number;
}

export interface MemorySession {
  readonly key: SessionKey;
  readonly lines: string[];
  /** By name, once there are any; a name that ends in a slash is a folder's. */
  files: Map<string, KeptFile> | undefined;
  summary: SessionSummary;
  checkpoint: Checkpoint | undefined;
  generation: number;
  owner: MemoryNode | undefined;
}

export class MemoryStorage {
  /** By tenant and name. */
  readonly documents = new Map<string, DocumentText>();
  readonly #sessions = new Map<string, MemorySession>();

  /** @throws StoreError `invalid-key`. */
  find(key: SessionKey): MemorySession | undefined {
    assertValidKey(key);
    return this.#sessions.get(nameOf(key));
  }

  add(session: MemorySession): void {
    this.#sessions.set(nameOf(session.key), session);
  }

  remove({ key }: MemorySession): boolean {
    return this.#sessions.delete(nameOf(key));
  }

  all(): IterableIterator<MemorySession> {
    return this.#sessions.values();
  }
}

/** One of the stores on a storage. */
export class MemoryNode {
  readonly id = randomUUID();
  readonly storage: MemoryStorage;
  decide: HandoverDecision | undefined;

  constructor(storage: MemoryStorage) {
    this.storage = storage;
  }

  holds(lease: Lease): boolean {
    const session = this.storage.find(lease);
    return session?.owner === this && session.generation === lease.generation;
  }

  /** @throws StoreError `conflict` when the lease is not this node's any more. */
  owned(lease: Lease): MemorySession {
    const session = this.storage.find(lease);
    if (session?.owner === this && session.generation === lease.generation) return session;
    throw notHeld(lease);
  }

  *held(): Generator<MemorySession> {
    for (const session of this.storage.all()) if (session.owner === this) yield session;
  }
}

export function leaseOf({ key, generation }: MemorySession): Lease {
  return { tenant: key.tenant, sessionId: key.sessionId, generation };
}

function nameOf({ tenant, sessionId }: SessionKey): string {
  return `${tenant}/${sessionId}`;
}
