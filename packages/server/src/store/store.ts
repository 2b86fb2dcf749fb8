/**
 * The storage seam: one value stores everything that outlives a process, with a part for each purpose.
 * Implementations are `files/` and `memory/`; `contract/` has a suite of tests for each part, which both pass.
 */
import type { Catalogue } from "./catalogue.ts";
import type { EventLog } from "./event-log.ts";
import type { Ownership } from "./ownership.ts";
import type { SessionFiles } from "./session-files.ts";
import type { TenantStore } from "./tenant-store.ts";

export interface Store {
  readonly log: EventLog;
  readonly ownership: Ownership;
  readonly catalogue: Catalogue;
  readonly files: SessionFiles;
  readonly tenants: TenantStore;

  /**
   * Checks that the store accepts writes now, with a write that leaves nothing behind.
   * @throws StoreError `unavailable` saying why it does not.
   */
  check(): Promise<void>;

  /** Releases everything. Nothing may be called afterwards. */
  close(): Promise<void>;
}
