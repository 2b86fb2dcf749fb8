import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeStoreContract } from "../contract/store.ts";
import { createFileStore } from "./file-store.ts";

for (const durability of ["fsync", "os"] as const) {
  describeStoreContract(`the file store (${durability})`, async () => {
    const home = await mkdtemp(join(tmpdir(), "store-"));
    const store = createFileStore({ home, durability });
    const other = createFileStore({ home, durability });
    return {
      store,
      other,
      async dispose() {
        await Promise.all([store.close(), other.close()]);
        await rm(home, { recursive: true });
      },
    };
  });
}
