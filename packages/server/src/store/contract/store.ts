/** Every suite of the seam, for one implementation of it. */
import { describeCatalogueContract } from "./catalogue.ts";
import type { Make } from "./contract.ts";
import { describeEventLogContract } from "./event-log.ts";
import { describeOwnershipContract } from "./ownership.ts";
import { describeSessionFilesContract } from "./session-files.ts";
import { describeTenantStoreContract } from "./tenant-store.ts";

export function describeStoreContract(name: string, factory: Make): void {
  describeEventLogContract(name, factory);
  describeOwnershipContract(name, factory);
  describeCatalogueContract(name, factory);
  describeSessionFilesContract(name, factory);
  describeTenantStoreContract(name, factory);
}
