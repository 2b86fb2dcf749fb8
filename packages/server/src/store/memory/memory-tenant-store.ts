import { assertValidTenant } from "../session-key.ts";
import type { TenantDocument, TenantDocumentName, TenantStore } from "../tenant-store.ts";
import type { MemoryNode } from "./memory-storage.ts";

export class MemoryTenantStore implements TenantStore {
  readonly #node: MemoryNode;

  constructor(node: MemoryNode) {
    this.#node = node;
  }

  document(tenant: string, name: TenantDocumentName): TenantDocument {
    assertValidTenant(tenant);
    const { documents } = this.#node.storage;
    const key = `${tenant}/${name}`;
    return {
      version: async () => documents.get(key)?.version,
      read: async () => documents.get(key),
      change: async (edit) => {
        const before = documents.get(key);
        const after = { text: edit(before?.text), version: String(Number(before?.version ?? 0) + 1) };
        documents.set(key, after);
        return after;
      },
    };
  }
}
