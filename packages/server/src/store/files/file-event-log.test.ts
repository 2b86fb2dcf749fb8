import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeEventLogContract } from "../contract.ts";
import { createFileEventLog } from "./file-event-log.ts";

for (const durability of ["fsync", "os"] as const) {
  describeEventLogContract(`the file store (${durability})`, async () => {
    const home = await mkdtemp(join(tmpdir(), "store-"));
    const log = createFileEventLog({ home, durability });
    const other = createFileEventLog({ home, durability });
    return {
      log,
      other,
      async dispose() {
        await Promise.all([log.close(), other.close()]);
        await rm(home, { recursive: true });
      },
    };
  });
}
