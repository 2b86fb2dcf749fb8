/**
 * The storage seam: everything that outlives a process is asked of one value with a part for each question.
 * Implementations are `files/` and `memory/`; `contract/` has a suite of tests a part, which both pass.
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
   * Whether the store takes writes now: tries one that leaves nothing behind.
   * @throws StoreError `unavailable` saying why it does not.
   */
  check(): Promise<void>;

  /** Releases everything. Nothing may be called afterwards. */
  close(): Promise<void>;
}
