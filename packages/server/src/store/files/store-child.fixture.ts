import type { Lease, SessionKey } from "../event-log.ts";
import { createFileEventLog, type FileEventLog } from "./file-event-log.ts";

/**
 * A store in a process of its own, driven over IPC: `{id, method, args}` in, `{id, result}` or
 * `{id, kind, message}` out. Bundled by the tests that fork it.
 */

const home = process.argv[2]!;
const log: FileEventLog = createFileEventLog({ home, indexFlushMs: 50 });
const leases = new Map<string, Lease>();
const leaseOf = (sessionId: string) => leases.get(sessionId)!;
const toKey = (sessionId: string): SessionKey => ({ tenant: "default", sessionId });
const now = () => new Date().toISOString();

const methods: Record<string, (...args: never[]) => unknown> = {
  async create(sessionId: string) {
    const summary = { sessionId, startTime: now(), modifiedTime: now() };
    const lease = await log.create(toKey(sessionId), summary);
    leases.set(sessionId, lease);
    return lease.generation;
  },
  async open(sessionId: string) {
    const opened = await log.open(toKey(sessionId));
    leases.set(sessionId, opened.lease);
    return opened;
  },
  append: (sessionId: string, lines: string[]) => log.append(leaseOf(sessionId), lines),
  release: (sessionId: string) => log.release(leaseOf(sessionId)),
  delete: (sessionId: string) => log.delete(toKey(sessionId)),
  list: () => log.list("default"),
  close: () => log.close(),
  decide(answer: boolean) {
    log.onHandover(async (key) => {
      if (answer) await log.release(leaseOf(key.sessionId));
      return answer;
    });
  },
  /** Creates sessions and writes all of them at the same time; resolves to the kinds of failures. */
  async writeMany(sessionIds: string[], count: number) {
    const failures: string[] = [];
    const write = async (sessionId: string) => {
      await methods.create!(sessionId as never);
      for (let n = 0; n < count; n++) await log.append(leaseOf(sessionId), [JSON.stringify({ n })]);
    };
    await Promise.all(sessionIds.map((id) => write(id).catch((error) => failures.push(String(error)))));
    return failures;
  },
  /** Appends for ever, telling each acknowledged number. */
  async hammer(sessionId: string) {
    for (let n = 0; ; n++) {
      const lines = [JSON.stringify({ n, pad: "x".repeat(n % 5_000) })];
      void log.append(leaseOf(sessionId), lines).then(() => process.send!({ acknowledged: n }));
      if (n % 4 === 3) await log.append(leaseOf(sessionId), []);
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
