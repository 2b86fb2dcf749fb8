import { afterEach, describe, expect, it } from "vitest";
import type { EventLog, SessionKey, SessionSummary, StoredLine } from "./event-log.ts";

/**
 * What every `EventLog` must pass. For tests only; nothing in production imports it.
 */

/** Two logs over the same storage, as two processes would have them. */
export interface ContractStore {
  readonly log: EventLog;
  readonly other: EventLog;
  /** Closes what is not closed, and removes the storage. */
  dispose(): Promise<void>;
}

export function describeEventLogContract(name: string, factory: () => Promise<ContractStore>): void {
  describe(`${name} keeps the EventLog contract`, () => {
    const stores: ContractStore[] = [];
    const make = async () => {
      const store = await factory();
      stores.push(store);
      return store;
    };
    afterEach(async () => {
      await Promise.all(stores.splice(0).map((store) => store.dispose()));
    });

    describeLines(make);
    describeLeases(make);
    describeCheckpoints(make);
    describeSummaries(make);
    describeDeletion(make);
    describeTenants(make);
    describeCheck(make);
    describeKeys(make);
  });
}

type Make = () => Promise<ContractStore>;

const key: SessionKey = { tenant: "default", sessionId: "s-1" };

export function summaryOf(sessionId: string, more: Partial<SessionSummary> = {}): SessionSummary {
  const startTime = "2025-01-01T00:00:00.000Z";
  return { sessionId, startTime, modifiedTime: startTime, ...more };
}

export async function readAll(
  log: EventLog,
  of: SessionKey,
  range?: { from?: number; to?: number },
): Promise<StoredLine[]> {
  const lines: StoredLine[] = [];
  for await (const batch of log.read(of, range)) lines.push(...batch);
  return lines;
}

const jsonOf = (lines: readonly StoredLine[]) => lines.map((line) => line.json);
const failsAs = (kind: string) => expect.objectContaining({ name: "StoreError", kind });

function describeLines(make: Make): void {
  it("what is appended is read back in order, with growing cursors", async () => {
    const { log } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    const first = await log.append(lease, ['{"n":1}', '{"n":2,"text":"äöü 🚀"}']);
    const second = await log.append(lease, ['{"n":3}']);
    const lines = await readAll(log, key);
    expect(jsonOf(lines)).toEqual(['{"n":1}', '{"n":2,"text":"äöü 🚀"}', '{"n":3}']);
    expect(lines[1]?.cursor).toBe(first);
    expect(lines[2]?.cursor).toBe(second);
    expect(lines[0]!.cursor).toBeLessThan(first);
  });

  it("a range starts behind `from` and ends at `to`", async () => {
    const { log } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    const first = await log.append(lease, ['{"n":1}']);
    const second = await log.append(lease, ['{"n":2}']);
    await log.append(lease, ['{"n":3}']);
    expect(jsonOf(await readAll(log, key, { from: first, to: second }))).toEqual(['{"n":2}']);
    expect(jsonOf(await readAll(log, key, { from: first }))).toEqual(['{"n":2}', '{"n":3}']);
    expect(await readAll(log, key, { from: second, to: first })).toEqual([]);
  });

  it("overlapping appends commit in the order of the calls", async () => {
    const { log } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    const wanted = Array.from({ length: 200 }, (_, n) => `{"n":${n}}`);
    const cursors = await Promise.all(wanted.map((line) => log.append(lease, [line])));
    const lines = await readAll(log, key);
    expect(jsonOf(lines)).toEqual(wanted);
    expect(lines.map((line) => line.cursor)).toEqual(cursors);
  });

  it("an empty append changes nothing and returns the end", async () => {
    const { log } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    expect(await log.append(lease, [])).toBe(0);
    const end = await log.append(lease, ['{"n":1}']);
    expect(await log.append(lease, [])).toBe(end);
    expect(await readAll(log, key)).toHaveLength(1);
  });

  it("a line with a newline in it is refused and nothing of its batch is committed", async () => {
    const { log } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    await expect(log.append(lease, ['{"n":1}', '{"n":\n2}'])).rejects.toThrow(TypeError);
    expect(await readAll(log, key)).toEqual([]);
  });

  it("a line of several megabytes comes back whole among small ones", async () => {
    const { log } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    const large = JSON.stringify({ text: "é".repeat(1_500_000) });
    await log.append(lease, ['{"n":1}', large, '{"n":2}']);
    expect(jsonOf(await readAll(log, key))).toEqual(['{"n":1}', large, '{"n":2}']);
  });

  it("a read ends at what was committed when it was asked for, also in batches", async () => {
    const { log } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    const lines = Array.from({ length: 3_000 }, (_, n) => JSON.stringify({ n, pad: "x".repeat(300) }));
    await log.append(lease, lines);
    const reading = log.read(key);
    await log.append(lease, ['{"late":true}']);
    const batches: (readonly StoredLine[])[] = [];
    for await (const batch of reading) batches.push(batch);
    expect(batches.length).toBeGreaterThan(1);
    expect(jsonOf(batches.flat())).toEqual(lines);
  });

  it("reading an unknown session fails as not-found", async () => {
    const { log } = await make();
    await expect(readAll(log, key)).rejects.toEqual(failsAs("not-found"));
  });

  it("the same id under two tenants names two sessions", async () => {
    const { log } = await make();
    const mine = await log.create(key, summaryOf("s-1"));
    const theirs = await log.create({ ...key, tenant: "acme" }, summaryOf("s-1", { name: "theirs" }));
    await log.append(mine, ['{"n":1}']);
    await log.append(theirs, ['{"n":2}']);
    expect(jsonOf(await readAll(log, { ...key, tenant: "acme" }))).toEqual(['{"n":2}']);
    expect(await log.list("acme")).toEqual([summaryOf("s-1", { name: "theirs" })]);
    expect(await log.list("default")).toEqual([summaryOf("s-1")]);
  });
}

function describeLeases(make: Make): void {
  it("a new session has generation 1, and its id is taken", async () => {
    const { log, other } = await make();
    expect(await log.create(key, summaryOf("s-1"))).toEqual({ ...key, generation: 1 });
    await expect(log.create(key, summaryOf("s-1"))).rejects.toEqual(failsAs("conflict"));
    await expect(other.create(key, summaryOf("s-1"))).rejects.toEqual(failsAs("conflict"));
  });

  it("of many that create one id at once, one succeeds", async () => {
    const { log, other } = await make();
    const attempts = Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? log : other).create(key, summaryOf("s-1")),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
  });

  it("a released session opens again under a higher generation; the old lease is refused", async () => {
    const { log } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    const end = await log.append(lease, ['{"n":1}']);
    await log.release(lease);
    await log.release(lease);
    await expect(log.append(lease, ['{"n":2}'])).rejects.toEqual(failsAs("conflict"));
    const opened = await log.open(key);
    expect(opened.end).toBe(end);
    expect(opened.lease.generation).toBeGreaterThan(lease.generation);
    await expect(log.append(lease, ['{"n":2}'])).rejects.toEqual(failsAs("conflict"));
    expect(() => log.setSummary(lease, summaryOf("s-1"))).toThrow(failsAs("conflict"));
    await log.append(opened.lease, ['{"n":3}']);
    expect(jsonOf(await readAll(log, key))).toEqual(['{"n":1}', '{"n":3}']);
  });

  it("a release lets the appends called before it finish", async () => {
    const { log } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    const appends = Array.from({ length: 10 }, (_, n) => log.append(lease, [`{"n":${n}}`]));
    await log.release(lease);
    await Promise.all(appends);
    expect(await readAll(log, key)).toHaveLength(10);
  });

  it("opening an unknown session fails as not-found", async () => {
    const { log } = await make();
    await expect(log.open(key)).rejects.toEqual(failsAs("not-found"));
  });

  it("an owner keeps its session unless it decides to hand over", async () => {
    const { log, other } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    await log.append(lease, ['{"n":1}']);
    await expect(other.open(key)).rejects.toEqual(failsAs("conflict"));
    log.onHandover(async () => false);
    await expect(other.open(key)).rejects.toEqual(failsAs("conflict"));
    await log.append(lease, ['{"n":2}']);
    const asked: SessionKey[] = [];
    log.onHandover(async (wanted) => {
      asked.push(wanted);
      await log.release(lease);
      return true;
    });
    const opened = await other.open(key);
    expect(asked).toEqual([key]);
    await expect(log.append(lease, ['{"n":3}'])).rejects.toEqual(failsAs("conflict"));
    await other.append(opened.lease, ['{"n":4}']);
    expect(jsonOf(await readAll(log, key))).toEqual(['{"n":1}', '{"n":2}', '{"n":4}']);
  });

  it("a closed log gives everything back", async () => {
    const { log, other } = await make();
    await log.create(key, summaryOf("s-1"));
    await log.close();
    expect((await other.open(key)).lease.generation).toBe(2);
  });
}

function describeCheckpoints(make: Make): void {
  it("the last checkpoint comes back as it was given", async () => {
    const { log } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    expect(await log.readCheckpoint(lease)).toBeUndefined();
    const cursor = await log.append(lease, ['{"n":1}']);
    await log.checkpoint(lease, { cursor: 0, state: "[]" });
    const last = { cursor, state: '{ "a": [1, "}"], "é": 1.0 }' };
    await log.checkpoint(lease, last);
    expect(await log.readCheckpoint(lease)).toEqual(last);
    await log.release(lease);
    const opened = await log.open(key);
    expect(opened.checkpoint).toEqual(last);
    await expect(log.checkpoint(lease, last)).rejects.toEqual(failsAs("conflict"));
  });
}

function describeSummaries(make: Make): void {
  const at = (minute: number) => `2025-01-01T00:0${minute}:00.000Z`;

  it("lists the last changed first, filtered and limited", async () => {
    const { log } = await make();
    const summaries = [1, 2, 3, 4].map((n) =>
      summaryOf(`s-${n}`, {
        modifiedTime: at(n),
        context: { cwd: "/w", gitRoot: "/w", repository: "a/b", branch: n % 2 ? "main" : "dev" },
      }),
    );
    for (const summary of summaries) await log.create({ ...key, sessionId: summary.sessionId }, summary);
    const ids = async (query: object) =>
      (await log.list("default", query)).map((summary) => summary.sessionId);
    expect(await log.list("default")).toEqual(summaries.toReversed());
    expect(await ids({ limit: 2 })).toEqual(["s-4", "s-3"]);
    expect(await ids({ branch: "main" })).toEqual(["s-3", "s-1"]);
    expect(await ids({ branch: "main", cwd: "/w", gitRoot: "/w", repository: "a/b", limit: 1 })).toEqual([
      "s-3",
    ]);
    expect(await ids({ cwd: "/elsewhere" })).toEqual([]);
    expect(await log.list("nobody")).toEqual([]);
  });

  it("a summary that was set replaces the former one, for other processes after the release", async () => {
    const { log, other } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    await log.create({ ...key, sessionId: "s-2" }, summaryOf("s-2", { modifiedTime: at(1) }));
    expect((await log.list("default"))[0]?.sessionId).toBe("s-2");
    const changed = summaryOf("s-1", { modifiedTime: at(2), name: "renamed", summary: "a title" });
    log.setSummary(lease, changed);
    expect(await log.get(key)).toEqual(changed);
    expect((await log.list("default"))[0]).toEqual(changed);
    await log.release(lease);
    expect(await other.get(key)).toEqual(changed);
    expect(await other.list("default", { limit: 1 })).toEqual([changed]);
  });

  it("there is no summary of an unknown session", async () => {
    const { log } = await make();
    expect(await log.get(key)).toBeUndefined();
  });
}

function describeDeletion(make: Make): void {
  it("a deleted session is gone, its lease is refused, and its id is free", async () => {
    const { log, other } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    await log.append(lease, ['{"n":1}']);
    expect(await log.list("default")).toHaveLength(1);
    expect(await log.delete(key)).toBe(true);
    expect(await log.delete(key)).toBe(false);
    await expect(log.append(lease, ['{"n":2}'])).rejects.toEqual(failsAs("conflict"));
    await expect(readAll(log, key)).rejects.toEqual(failsAs("not-found"));
    await expect(other.open(key)).rejects.toEqual(failsAs("not-found"));
    expect(await log.get(key)).toBeUndefined();
    expect(await log.list("default")).toEqual([]);
    await log.create(key, summaryOf("s-1"));
    expect(await readAll(log, key)).toEqual([]);
  });

  it("a session that another living owner keeps is not deleted", async () => {
    const { log, other } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    await expect(other.delete(key)).rejects.toEqual(failsAs("conflict"));
    await log.append(lease, ['{"n":1}']);
    log.onHandover(async () => true);
    expect(await other.delete(key)).toBe(true);
    await expect(log.append(lease, ['{"n":2}'])).rejects.toEqual(failsAs("conflict"));
  });
}

function describeTenants(make: Make): void {
  it("tells which tenants there are, and what each has stored", async () => {
    const { log } = await make();
    const acme = await log.create({ tenant: "acme", sessionId: "s-1" }, summaryOf("s-1"));
    const ours = await log.create(key, summaryOf("s-1"));
    await log.append(acme, [JSON.stringify({ text: "x".repeat(10_000) })]);
    await log.append(ours, ['{"n":1}']);
    expect((await log.tenants()).sort()).toEqual(["acme", "default"]);
    expect(await log.storedBytes("acme")).toBeGreaterThan(10_000);
    expect(await log.storedBytes("default")).toBeLessThan(10_000);
    expect(await log.storedBytes("nobody")).toBe(0);
    await log.delete({ tenant: "acme", sessionId: "s-1" });
    expect(await log.storedBytes("acme")).toBeLessThan(10_000);
    await expect(log.storedBytes("../acme")).rejects.toEqual(failsAs("invalid-key"));
  });
}

function describeCheck(make: Make): void {
  it("a check of the store leaves nothing behind, and ends no lease", async () => {
    const { log } = await make();
    const lease = await log.create(key, summaryOf("s-1"));
    await log.check();
    expect(await log.list("default")).toEqual([summaryOf("s-1")]);
    expect(await log.append(lease, ['{"n":1}'])).toBeGreaterThan(0);
  });
}

function describeKeys(make: Make): void {
  const invalid = ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a\0b", "x".repeat(129), "ä", "a b"];

  it("ids that could leave the store are refused as invalid-key everywhere", async () => {
    const { log } = await make();
    for (const bad of invalid) {
      for (const wrong of [
        { tenant: "default", sessionId: bad },
        { tenant: bad, sessionId: "s" },
      ]) {
        const refused = failsAs("invalid-key");
        await expect(log.create(wrong, summaryOf("s"))).rejects.toEqual(refused);
        await expect(log.open(wrong)).rejects.toEqual(refused);
        await expect(log.get(wrong)).rejects.toEqual(refused);
        await expect(log.delete(wrong)).rejects.toEqual(refused);
        expect(() => log.read(wrong)).toThrow(refused);
      }
      await expect(log.list(bad)).rejects.toEqual(failsAs("invalid-key"));
    }
    const longest = { tenant: "default", sessionId: "x".repeat(128) };
    expect((await log.create(longest, summaryOf(longest.sessionId))).generation).toBe(1);
  });
}
