import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "../store.ts";
import { StoreError } from "../store-error.ts";
import { FileCatalogue } from "./file-catalogue.ts";
import { FileEventLog } from "./file-event-log.ts";
import { FileHome, type FileStoreOptions } from "./file-home.ts";
import { FileOwnership } from "./file-ownership.ts";
import { FileSessionFiles } from "./file-session-files.ts";
import { FileTenantStore } from "./file-tenant-store.ts";
import { tightenHome } from "./tighten-home.ts";

/**
 * The default store. Any number of processes of one machine may share a home. It must not be shared between machines: a
 * lease is as good as the socket of its owner, which no other machine can reach. Nothing is read or made before the
 * first call.
 */
export function createFileStore(options: FileStoreOptions): Store {
  void tightenHome(options.home, options.log ?? (() => undefined));
  const home = new FileHome(options);
  const ownership = new FileOwnership(home);
  return {
    log: new FileEventLog(home),
    ownership,
    catalogue: new FileCatalogue(home),
    files: new FileSessionFiles(home),
    tenants: new FileTenantStore(home),
    check: async () => {
      if (ownership.closed) throw new StoreError("unavailable", "the store is closed");
      await checkWrites(home);
    },
    close: () => ownership.close(),
  };
}

/** Writes a file where the logs are, and takes it away again. */
function checkWrites(home: FileHome): Promise<void> {
  return home.guard("write a test file", async () => {
    await mkdir(home.path, { recursive: true, mode: 0o700 });
    const path = join(home.path, `.check-${process.pid}-${randomBytes(4).toString("hex")}`);
    try {
      await writeFile(path, "x", { flush: home.isDurable, mode: 0o600 });
    } finally {
      await rm(path, { force: true });
    }
  });
}
