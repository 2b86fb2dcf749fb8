import type { Lease, SessionKey } from "../session-key.ts";
import type { Store } from "../store.ts";
import { createFileStore } from "./file-store.ts";

/**
 * A store in a process of its own, driven over IPC: `{id, method, args}` in, `{id, result}` or
 * `{id, kind, message}` out. Bundled by the tests that fork it.
 */

const home = process.argv[2]!;
const store: Store = createFileStore({ home, indexFlushMs: 50 });
const leases = new Map<string, Lease>();
const leaseOf = (sessionId: string) => leases.get(sessionId)!;
const toKey = (sessionId: string): SessionKey => ({ tenant: "default", sessionId });
const now = () => new Date().toISOString();

const methods: Record<string, (...args: never[]) => unknown> = {
  async create(sessionId: string) {
    const summary = { sessionId, startTime: now(), modifiedTime: now() };
    const lease = await store.ownership.create(toKey(sessionId), summary);
    leases.set(sessionId, lease);
    return lease.generation;
  },
  async open(sessionId: string) {
    const opened = await store.ownership.claim(toKey(sessionId));
    leases.set(sessionId, opened.lease);
    return opened;
  },
  append: (sessionId: string, lines: string[]) => store.log.append(leaseOf(sessionId), lines),
  release: (sessionId: string) => store.ownership.release(leaseOf(sessionId)),
  delete: (sessionId: string) => store.ownership.delete(toKey(sessionId)),
  list: () => store.catalogue.list("default"),
  close: () => store.close(),
  decide(answer: boolean) {
    store.ownership.onHandover(async (key) => {
      if (answer) await store.ownership.release(leaseOf(key.sessionId));
      return answer;
    });
  },
  /** Creates sessions and writes all of them at the same time; resolves to the kinds of failures. */
  async writeMany(sessionIds: string[], count: number) {
    const failures: string[] = [];
    const write = async (sessionId: string) => {
      await methods.create!(sessionId as never);
      for (let n = 0; n < count; n++) await store.log.append(leaseOf(sessionId), [JSON.stringify({ n })]);
    };
    await Promise.all(sessionIds.map((id) => write(id).catch((error) => failures.push(String(error)))));
    return failures;
  },
  /** Appends for ever, telling each acknowledged number. */
  async hammer(sessionId: string) {
    for (let n = 0; ; n++) {
      const lines = [JSON.stringify({ n, pad: "x".repeat(n % 5_000) })];
      void store.log.append(leaseOf(sessionId), lines).then(() => process.send!({ acknowledged: n }));
      if (n % 4 === 3) await store.log.append(leaseOf(sessionId), []);
    }
  },
};

process.on("message", ({ id, method, args }: { id: number; method: string; args: never[] }) => {
  Promise.resolve()
    .then(() => methods[method]!(...args))
    .then(
      (result) => process.send!({ id, result }),
      (error) => process.send!({ id, kind: error.kind ?? "bug", message: String(error.stack) }),
    );
});
process.on("disconnect", () => process.exit());
