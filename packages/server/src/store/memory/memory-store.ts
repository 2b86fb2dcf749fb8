import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../store.ts";
import { MemoryCatalogue } from "./memory-catalogue.ts";
import { MemoryEventLog } from "./memory-event-log.ts";
import { MemoryOwnership } from "./memory-ownership.ts";
import { MemorySessionFiles } from "./memory-session-files.ts";
import { leaseOf, MemoryNode, MemoryStorage } from "./memory-storage.ts";
import { MemoryTenantStore } from "./memory-tenant-store.ts";

export interface MemoryStoreOptions {
  /** Default: a storage of its own. */
  readonly storage?: MemoryStorage;
  /** The directory of the sessions' working copies, without links. Default: one of its own among the temporary files, which goes with the store. */
  readonly workingCopies?: string;
}

/** The store in memory, for tests and for servers that keep nothing. It ends with the process. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const node = new MemoryNode(options.storage ?? new MemoryStorage());
  const own = join(realpathSync(tmpdir()), `rightseat-files-${randomBytes(8).toString("hex")}`);
  const files = new MemorySessionFiles(node, options.workingCopies ?? own);
  const ownership = new MemoryOwnership(node, files);
  return {
    log: new MemoryEventLog(node),
    ownership,
    catalogue: new MemoryCatalogue(node, files),
    files,
    tenants: new MemoryTenantStore(node),
    check: async () => {},
    close: async () => {
      for (const session of [...node.held()]) await ownership.release(leaseOf(session));
      await rm(own, { recursive: true, force: true });
    },
  };
}
