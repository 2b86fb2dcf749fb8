import {
  type Catalogue,
  compareInList,
  type ListQuery,
  matchesQuery,
  type SessionSummary,
} from "../catalogue.ts";
import { assertValidTenant, type Lease, type SessionKey } from "../session-key.ts";
import type { MemorySessionFiles } from "./memory-session-files.ts";
import { leaseOf, type MemoryNode } from "./memory-storage.ts";

export class MemoryCatalogue implements Catalogue {
  readonly #node: MemoryNode;
  readonly #files: MemorySessionFiles;

  constructor(node: MemoryNode, files: MemorySessionFiles) {
    this.#node = node;
    this.#files = files;
  }

  setSummary(lease: Lease, summary: SessionSummary): void {
    this.#node.owned(lease).summary = summary;
  }

  async get(key: SessionKey): Promise<SessionSummary | undefined> {
    return this.#node.storage.find(key)?.summary;
  }

  async list(tenant: string, query: ListQuery = {}): Promise<SessionSummary[]> {
    assertValidTenant(tenant);
    const summaries: SessionSummary[] = [];
    for (const { key, summary } of this.#node.storage.all())
      if (key.tenant === tenant && matchesQuery(summary, query)) summaries.push(summary);
    return summaries.sort(compareInList).slice(0, query.limit);
  }

  async tenants(): Promise<string[]> {
    return [...new Set(Array.from(this.#node.storage.all(), ({ key }) => key.tenant))];
  }

  async storedBytes(tenant: string): Promise<number> {
    assertValidTenant(tenant);
    let bytes = 0;
    for (const session of this.#node.storage.all()) {
      if (session.key.tenant !== tenant) continue;
      if (session.owner === this.#node) await this.#files.checkIn(leaseOf(session));
      for (const line of session.lines) bytes += Buffer.byteLength(line) + 1;
      for (const { content } of session.files?.values() ?? []) bytes += content.length;
    }
    return bytes;
  }
}
