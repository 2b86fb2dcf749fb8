import { describeEventLogContract } from "../contract.ts";
import { createMemoryEventLog, MemoryStorage } from "./memory-event-log.ts";

describeEventLogContract("the memory store", async () => {
  const storage = new MemoryStorage();
  const log = createMemoryEventLog({ storage });
  const other = createMemoryEventLog({ storage });
  return {
    log,
    other,
    async dispose() {
      await Promise.all([log.close(), other.close()]);
    },
  };
});
