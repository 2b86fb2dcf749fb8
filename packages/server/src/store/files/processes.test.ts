import { mkdir, mkdtemp, readdir, readFile, rm, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { readAll, summaryOf } from "../contract/contract.ts";
import type { Claimed } from "../ownership.ts";
import { createFileStore } from "./file-store.ts";
import { bundleChild, StoreProcess } from "./store-process.fixture.ts";

const failsAs = (kind: string) => expect.objectContaining({ kind });
const toKey = (sessionId: string) => ({ tenant: "default", sessionId });

describe("several processes on one home", () => {
  let root: string;
  let program: string;
  let home: string;
  let children: StoreProcess[];
  let homes = 0;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "store-"));
    program = await bundleChild(root);
  });
  beforeEach(async () => {
    home = join(root, `home-${homes++}`);
    await mkdir(home);
    children = [];
  });
  afterEach(async () => {
    await Promise.all(children.map((child) => child.kill()));
  });
  afterAll(async () => {
    await rm(root, { recursive: true });
  });

  const start = (maxFileKib?: number) => {
    const child = new StoreProcess(program, home, maxFileKib);
    children.push(child);
    return child;
  };
  const directoryOf = (sessionId: string) => join(home, "session-state", sessionId);

  it("kill -9 loses nothing that was acknowledged, and the session opens at once", async () => {
    const store = createFileStore({ home });
    for (const [round, wanted] of [20, 150, 400].entries()) {
      const id = `killed-${round}`;
      const child = start();
      await child.call("create", id);
      void child.call("hammer", id);
      await vi.waitUntil(() => child.acknowledged.length >= wanted, {
        timeout: 20_000,
        interval: 1,
      });
      await child.kill();
      const { lease, end } = await store.ownership.claim(toKey(id));
      const numbers = (await readAll(store.log, toKey(id))).map((line) => JSON.parse(line.json).n as number);
      expect(numbers).toEqual(numbers.map((_, n) => n));
      expect(numbers.length).toBeGreaterThan(Math.max(...child.acknowledged));
      expect(lease.generation).toBe(2);
      expect(await store.log.append(lease, ['{"after":1}'])).toBeGreaterThan(end);
    }
    await store.close();
  }, 60_000);

  it("fifty writers in five processes never fail and never mix", async () => {
    const ids = Array.from({ length: 50 }, (_, n) => `writer-${n}`);
    const writers = Array.from({ length: 5 }, start.bind(undefined, undefined));
    const failures = await Promise.all(
      writers.map((child, n) => child.call("writeMany", ids.slice(n * 10, n * 10 + 10), 20)),
    );
    expect(failures.flat()).toEqual([]);
    const store = createFileStore({ home });
    const expected = Array.from({ length: 20 }, (_, n) => JSON.stringify({ n }));
    for (const id of ids) {
      expect((await readAll(store.log, toKey(id))).map((line) => line.json)).toEqual(expected);
    }
    const listed = (await store.catalogue.list("default")).map((summary) => summary.sessionId);
    expect(listed.toSorted()).toEqual(ids.toSorted());
    await store.close();
  }, 60_000);

  it("of many that take over from a dead owner, exactly one wins each generation", async () => {
    const first = start();
    await first.call("create", "raced");
    await first.call("append", "raced", ['{"by":"first"}']);
    let owner = first;
    const rivals = Array.from({ length: 5 }, start.bind(undefined, undefined));
    for (let generation = 2; generation <= 5; generation++) {
      await owner.kill();
      const racing = rivals.filter((rival) => rival !== owner);
      rivals.splice(0, rivals.length, ...racing);
      const outcomes = await Promise.allSettled(racing.map((rival) => rival.call<Claimed>("open", "raced")));
      const won = outcomes.flatMap((outcome, n) =>
        outcome.status === "fulfilled" ? [{ rival: racing[n]!, opened: outcome.value }] : [],
      );
      expect(won.map(({ opened }) => opened.lease.generation)).toEqual([generation]);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason).toEqual(failsAs("conflict"));
      }
      owner = won[0]!.rival;
      await owner.call("append", "raced", [JSON.stringify({ generation })]);
    }
    const claims = (await readdir(directoryOf("raced"))).filter((name) => /lease/.test(name));
    expect(claims.toSorted()).toEqual(["lease.5", "lease.json"]);
  }, 60_000);

  it("an owner that was thought dead and overtaken can write nothing more", async () => {
    const late = start();
    await late.call("create", "fenced");
    await late.call("append", "fenced", ['{"n":1}']);
    for (const name of await readdir(join(home, "run"))) await unlink(join(home, "run", name));
    const next = start();
    const opened = await next.call<Claimed>("open", "fenced");
    expect(opened.lease.generation).toBe(2);
    await expect(late.call("append", "fenced", ['{"late":1}'])).rejects.toEqual(failsAs("conflict"));
    await next.call("append", "fenced", ['{"n":2}']);
    await expect(late.call("append", "fenced", ['{"late":2}'])).rejects.toEqual(failsAs("conflict"));
    expect(await readFile(join(directoryOf("fenced"), "events.jsonl"), "utf8")).toBe('{"n":1}\n{"n":2}\n');
  });

  it("a stopped owner is not overtaken, and asking it ends in a conflict in bounded time", async () => {
    const owner = start();
    await owner.call("create", "stopped");
    owner.signal("SIGSTOP");
    const store = createFileStore({ home, handoverTimeoutMs: 100 });
    await expect(store.ownership.claim(toKey("stopped"))).rejects.toEqual(failsAs("conflict"));
    owner.signal("SIGCONT");
    await owner.call("append", "stopped", ['{"n":1}']);
    await store.close();
  });

  it("hands over between processes, both ways at once, without waiting for each other", async () => {
    const [one, two] = [start(), start()];
    await Promise.all([one.call("create", "a"), two.call("create", "b")]);
    await Promise.all([one.call("decide", true), two.call("decide", true)]);
    const [a, b] = await Promise.all([two.call<Claimed>("open", "a"), one.call<Claimed>("open", "b")]);
    expect([a.lease.generation, b.lease.generation]).toEqual([2, 2]);
    await expect(one.call("append", "a", ["{}"])).rejects.toEqual(failsAs("conflict"));
    await Promise.all([two.call("append", "a", ["{}"]), one.call("append", "b", ["{}"])]);
    await two.call("decide", false);
    await expect(one.call("delete", "a")).rejects.toEqual(failsAs("conflict"));
    await two.call("close");
    expect(await one.call("delete", "a")).toBe(true);
  });

  it("a write that fails half way is taken back, and later ones go on", async () => {
    const child = start(64);
    await child.call("create", "full");
    await child.call("append", "full", ['{"n":1}']);
    const large = JSON.stringify({ pad: "x".repeat(100_000) });
    await expect(child.call("append", "full", [large])).rejects.toEqual(failsAs("unavailable"));
    await child.call("append", "full", ['{"n":2}']);
    expect(await readFile(join(directoryOf("full"), "events.jsonl"), "utf8")).toBe('{"n":1}\n{"n":2}\n');
  });

  it("lists what another process created, changed and deleted", async () => {
    const store = createFileStore({ home });
    const child = start();
    await child.call("create", "theirs");
    await child.call("append", "theirs", ["{}"]);
    const mine = await store.ownership.create(toKey("mine"), summaryOf("mine"));
    const ids = async () =>
      (await store.catalogue.list("default")).map((summary) => summary.sessionId).toSorted();
    expect(await ids()).toEqual(["mine", "theirs"]);
    await store.ownership.release(mine);
    expect(await child.call("list")).toHaveLength(2);
    await child.call("delete", "theirs");
    expect(await ids()).toEqual(["mine"]);
    expect(await store.catalogue.get(toKey("theirs"))).toBeUndefined();
    await store.close();
  });
});
