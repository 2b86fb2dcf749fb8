import { describeStoreContract } from "../contract/store.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { createMemoryStore } from "./memory-store.ts";

describeStoreContract("the memory store", async () => {
  const storage = new MemoryStorage();
  const store = createMemoryStore({ storage });
  const other = createMemoryStore({ storage });
  return {
    store,
    other,
    async dispose() {
      await Promise.all([store.close(), other.close()]);
    },
  };
});
