import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readAll, summaryOf } from "../contract/contract.ts";
import type { Store } from "../store.ts";
import { createFileStore } from "./file-store.ts";
import { parseWorkspace } from "./session-head.ts";

let home: string;
let stores: Store[];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "list-"));
  stores = [];
});
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await rm(home, { recursive: true });
});

const toKey = (sessionId: string) => ({ tenant: "default", sessionId });
const state = () => join(home, "session-state");
const openStore = (options: Partial<Parameters<typeof createFileStore>[0]> = {}) => {
  const store = createFileStore({ home, durability: "os", ...options });
  stores.push(store);
  return store;
};
const idsOf = async (store: Store) =>
  (await store.catalogue.list("default")).map((summary) => summary.sessionId).toSorted();

async function writeCliSession(sessionId: string, workspace?: string): Promise<void> {
  const directory = join(state(), sessionId);
  await mkdir(directory, { recursive: true });
  const start = {
    type: "session.start",
    data: {
      sessionId,
      version: 1,
      producer: "copilot-agent",
      copilotVersion: "1.0.0",
      startTime: "2025-05-01T10:00:00.000Z",
      context: { cwd: "/repo/sub", gitRoot: "/repo", repository: "octo/cat", branch: "main" },
    },
    id: "e1",
    timestamp: "2025-05-01T10:00:00.100Z",
    parentId: null,
  };
  const message = { type: "user.message", data: { content: "hi" }, id: "e2", parentId: "e1" };
  await writeFile(join(directory, "events.jsonl"), `${JSON.stringify(start)}\n${JSON.stringify(message)}\n`);
  if (workspace) await writeFile(join(directory, "workspace.yaml"), workspace);
}

describe("sessions that the Copilot CLI wrote", () => {
  it("are listed with their context, name and summary, read and opened", async () => {
    await writeCliSession("cli-1", 'id: cli-1\ncwd: /repo/sub\nsummary: "Fix: the build"\nname: Build\n');
    await writeCliSession("cli-2");
    await mkdir(join(state(), "no-log-yet"));
    const store = openStore();
    const context = { cwd: "/repo/sub", gitRoot: "/repo", repository: "octo/cat", branch: "main" };
    const { modifiedTime, ...summary } = (await store.catalogue.get(toKey("cli-1")))!;
    expect(summary).toEqual({
      sessionId: "cli-1",
      startTime: "2025-05-01T10:00:00.000Z",
      summary: "Fix: the build",
      name: "Build",
      context,
    });
    expect(Date.parse(modifiedTime)).toBeGreaterThan(Date.parse(summary.startTime));
    expect(await idsOf(store)).toEqual(["cli-1", "cli-2"]);
    expect(await store.catalogue.list("default", { repository: "octo/cat", branch: "dev" })).toEqual([]);
    const { lease, end } = await store.ownership.claim(toKey("cli-2"));
    await store.log.append(lease, ['{"type":"more"}']);
    const lines = await readAll(store.log, toKey("cli-2"));
    expect(lines.map((line) => JSON.parse(line.json).type)).toEqual([
      "session.start",
      "user.message",
      "more",
    ]);
    expect(lines[1]?.cursor).toBe(end);
  });

  it("a log that appears later in a known directory is listed then", async () => {
    await mkdir(join(state(), "late"), { recursive: true });
    const store = openStore();
    expect(await idsOf(store)).toEqual([]);
    await writeCliSession("late");
    expect(await idsOf(store)).toEqual(["late"]);
  });

  it("the flat values of a workspace file are read, quoted, blank and in blocks", () => {
    const text = "id: a\nname: 'it''s'\nsummary: |-\n  two\n  lines\nuser:\n  cwd: no\nbranch: \"x: y\"\n";
    expect(parseWorkspace(text)).toEqual({
      id: "a",
      name: "it's",
      summary: "two lines",
      user: "",
      branch: "x: y",
    });
  });
});

describe("the index", () => {
  it("listing two thousand sessions opens nothing that stays open", async () => {
    const ids = Array.from({ length: 2_000 }, (_, n) => `cli-${n}`);
    for (const id of ids) await writeCliSession(id);
    const store = openStore({ maxDescriptors: 8 });
    const descriptors = async () => (await readdir("/proc/self/fd")).length;
    const before = process.platform === "linux" ? await descriptors() : 0;
    expect(await store.catalogue.list("default")).toHaveLength(2_000);
    for (let n = 0; n < 20; n++) {
      const { lease } = await store.ownership.claim(toKey(`cli-${n}`));
      await store.log.append(lease, ["{}"]);
    }
    // The socket, and the descriptors it keeps for appending.
    if (process.platform === "linux") {
      await vi.waitUntil(async () => (await descriptors()) <= before + 8 + 3, { timeout: 5_000 });
    }
  }, 30_000);

  it("known sessions are listed without being read again", async () => {
    await writeCliSession("cli-1");
    const first = openStore();
    const listed = await first.catalogue.list("default");
    await first.close();
    await writeFile(join(state(), "cli-1", "events.jsonl"), "not read\n");
    expect(await openStore().catalogue.list("default")).toEqual(listed);
  });

  it("a directory moved away leaves the list, one moved back returns", async () => {
    await writeCliSession("cli-1");
    await writeCliSession("cli-2");
    const store = openStore();
    expect(await idsOf(store)).toEqual(["cli-1", "cli-2"]);
    await rename(join(state(), "cli-1"), join(home, "away"));
    expect(await idsOf(store)).toEqual(["cli-2"]);
    expect(await store.catalogue.get(toKey("cli-1"))).toBeUndefined();
    await rename(join(home, "away"), join(state(), "cli-1"));
    expect(await idsOf(store)).toEqual(["cli-1", "cli-2"]);
  });

  it("torn and foreign lines in it cost nothing but themselves", async () => {
    await writeCliSession("cli-1");
    await writeFile(join(state(), "sessions.index.jsonl"), '{"index":"ab"}\n[]\nnull\n\0\0{"sessionId":"gho');
    const store = openStore();
    const lease = await store.ownership.create(toKey("mine"), summaryOf("mine", { name: "kept" }));
    await store.ownership.release(lease);
    expect((await openStore().catalogue.get(toKey("mine")))?.name).toBe("kept");
    expect(await idsOf(openStore())).toEqual(["cli-1", "mine"]);
  });

  it("is compacted when it has grown, and other stores follow", async () => {
    const path = () => join(state(), "sessions.index.jsonl");
    const [one, two] = [openStore({ indexFlushMs: 100_000 }), openStore({ indexFlushMs: 100_000 })];
    const leases = await Promise.all(
      Array.from({ length: 10 }, (_, n) => one.ownership.create(toKey(`s-${n}`), summaryOf(`s-${n}`))),
    );
    await Promise.all(leases.map((lease) => one.log.append(lease, ["{}"])));
    expect(await idsOf(two)).toHaveLength(10);
    await one.catalogue.list("default");
    let largest = 0;
    let size = 0;
    let rounds = 0;
    while (size >= largest) {
      largest = size;
      rounds++;
      for (const lease of leases) {
        one.catalogue.setSummary(
          lease,
          summaryOf(lease.sessionId, { name: `${rounds}`, summary: "x".repeat(5_000) }),
        );
      }
      // A release writes what is pending; the session is opened again for the next round.
      await one.ownership.release(leases[0]!);
      leases[0] = (await one.ownership.claim(toKey("s-0"))).lease;
      size = (await stat(path())).size;
    }
    expect(size).toBeLessThan(largest / 2);
    const names = (await two.catalogue.list("default")).map((summary) => summary.name);
    expect(names).toEqual(Array(10).fill(`${rounds}`));
    expect((await readFile(path(), "utf8")).split("\n")[0]).toMatch(/^\{"index":"[0-9a-f]{16}"\}$/);
    expect((await readdir(state())).filter((name) => name.startsWith("sessions."))).toHaveLength(1);
  });
});

describe("the log file", () => {
  it("a corrupt line in the middle is skipped and reported", async () => {
    await mkdir(join(state(), "s"), { recursive: true, mode: 0o700 });
    await writeFile(join(state(), "s", "events.jsonl"), '{"n":1}\n{"n":\0\n\n{"n":3}\n{"torn');
    const report = vi.fn();
    const store = openStore({ log: report });
    expect((await readAll(store.log, toKey("s"))).map((line) => line.json)).toEqual(['{"n":1}', '{"n":3}']);
    expect(report.mock.calls).toEqual([["skipped a corrupt line", { sessionId: "s", offset: 8, bytes: 6 }]]);
  });

  it("checkpoints that do not fit the log are ignored", async () => {
    const store = openStore();
    const lease = await store.ownership.create(toKey("s"), summaryOf("s"));
    const end = await store.log.append(lease, ['{"n":1}', '{"n":2}']);
    const path = join(store.files.directoryOf(toKey("s")), "checkpoint.json");
    for (const cursor of [end + 1, end - 1, 3]) {
      await store.log.checkpoint(lease, { cursor, state: "{}" });
      expect(await store.log.readCheckpoint(lease)).toBeUndefined();
    }
    for (const text of ["", "\0\0", '{"cursor":0,"state":{"a"', '{"state":1}']) {
      await writeFile(path, text);
      expect(await store.log.readCheckpoint(lease)).toBeUndefined();
    }
    await store.log.checkpoint(lease, { cursor: end, state: '{"ok":true}' });
    expect(await store.log.readCheckpoint(lease)).toEqual({ cursor: end, state: '{"ok":true}' });
  });

  it("a few descriptors serve many sessions", async () => {
    const store = openStore({ maxDescriptors: 3 });
    const ids = Array.from({ length: 30 }, (_, n) => `s-${n}`);
    const leases = await Promise.all(ids.map((id) => store.ownership.create(toKey(id), summaryOf(id))));
    for (let round = 0; round < 5; round++) {
      await Promise.all(leases.map((lease) => store.log.append(lease, [`{"round":${round}}`])));
    }
    for (const id of ids) expect(await readAll(store.log, toKey(id))).toHaveLength(5);
  });

  it("files and directories are the owner's alone", async () => {
    const store = openStore();
    await store.ownership.create(toKey("s"), summaryOf("s"));
    const directory = store.files.directoryOf(toKey("s"));
    expect((await stat(directory)).mode & 0o077).toBe(0);
    expect((await stat(join(directory, "events.jsonl"))).mode & 0o077).toBe(0);
  });

  it("a session deleted behind the store's back is a conflict, and may be made again", async () => {
    const store = openStore();
    const lease = await store.ownership.create(toKey("s"), summaryOf("s"));
    await store.log.append(lease, ["{}"]);
    const lost: unknown[] = [];
    store.ownership.onLost((of, why) => lost.push([of, why.kind]));
    await rm(store.files.directoryOf(toKey("s")), { recursive: true });
    await expect(store.log.append(lease, ["{}"])).rejects.toMatchObject({ kind: "conflict" });
    expect(lost).toEqual([]);
    await vi.waitUntil(() => lost.length > 0);
    expect(lost).toEqual([[lease, "conflict"]]);
    const again = await store.ownership.create(toKey("s"), summaryOf("s"));
    expect(await store.log.append(again, ['{"n":1}'])).toBe(8);
  });

  it("a home too deep for a socket works as well", async () => {
    const deep = join(home, "d".repeat(60), "e".repeat(60));
    const one = openStore({ home: deep });
    const two = openStore({ home: deep });
    await one.ownership.create(toKey("s"), summaryOf("s"));
    await expect(two.ownership.claim(toKey("s"))).rejects.toMatchObject({ kind: "conflict" });
    await one.close();
    expect((await two.ownership.claim(toKey("s"))).lease.generation).toBe(2);
  });
});
