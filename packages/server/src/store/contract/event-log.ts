/** What every `EventLog` must pass. */
import { describe, expect, it } from "vitest";
import type { StoredLine } from "../event-log.ts";
import { disposing, failsAs, jsonOf, key, type Make, readAll, summaryOf } from "./contract.ts";

export function describeEventLogContract(name: string, factory: Make): void {
  describe(`${name} keeps the EventLog contract`, () => {
    const make = disposing(factory);
    describeLines(make);
    describeCheckpoints(make);
  });
}

function describeLines(make: Make): void {
  it("what is appended is read back in order, with growing cursors", async () => {
    const { store } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    const first = await store.log.append(lease, ['{"n":1}', '{"n":2,"text":"äöü 🚀"}']);
    const second = await store.log.append(lease, ['{"n":3}']);
    const lines = await readAll(store.log, key);
    expect(jsonOf(lines)).toEqual(['{"n":1}', '{"n":2,"text":"äöü 🚀"}', '{"n":3}']);
    expect(lines[1]?.cursor).toBe(first);
    expect(lines[2]?.cursor).toBe(second);
    expect(lines[0]!.cursor).toBeLessThan(first);
  });

  it("a range starts behind `from` and ends at `to`", async () => {
    const { store } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    const first = await store.log.append(lease, ['{"n":1}']);
    const second = await store.log.append(lease, ['{"n":2}']);
    await store.log.append(lease, ['{"n":3}']);
    expect(jsonOf(await readAll(store.log, key, { from: first, to: second }))).toEqual(['{"n":2}']);
    expect(jsonOf(await readAll(store.log, key, { from: first }))).toEqual(['{"n":2}', '{"n":3}']);
    expect(await readAll(store.log, key, { from: second, to: first })).toEqual([]);
  });

  it("overlapping appends commit in the order of the calls", async () => {
    const { store } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    const wanted = Array.from({ length: 200 }, (_, n) => `{"n":${n}}`);
    const cursors = await Promise.all(wanted.map((line) => store.log.append(lease, [line])));
    const lines = await readAll(store.log, key);
    expect(jsonOf(lines)).toEqual(wanted);
    expect(lines.map((line) => line.cursor)).toEqual(cursors);
  });

  it("an empty append changes nothing and returns the end", async () => {
    const { store } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    expect(await store.log.append(lease, [])).toBe(0);
    const end = await store.log.append(lease, ['{"n":1}']);
    expect(await store.log.append(lease, [])).toBe(end);
    expect(await readAll(store.log, key)).toHaveLength(1);
  });

  it("a line with a newline in it is refused and nothing of its batch is committed", async () => {
    const { store } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    await expect(store.log.append(lease, ['{"n":1}', '{"n":\n2}'])).rejects.toThrow(TypeError);
    expect(await readAll(store.log, key)).toEqual([]);
  });

  it("a line of several megabytes comes back whole among small ones", async () => {
    const { store } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    const large = JSON.stringify({ text: "é".repeat(1_500_000) });
    await store.log.append(lease, ['{"n":1}', large, '{"n":2}']);
    expect(jsonOf(await readAll(store.log, key))).toEqual(['{"n":1}', large, '{"n":2}']);
  });

  it("a read ends at what was committed when it was asked for, also in batches", async () => {
    const { store } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    const lines = Array.from({ length: 3_000 }, (_, n) => JSON.stringify({ n, pad: "x".repeat(300) }));
    await store.log.append(lease, lines);
    const reading = store.log.read(key);
    await store.log.append(lease, ['{"late":true}']);
    const batches: (readonly StoredLine[])[] = [];
    for await (const batch of reading) batches.push(batch);
    expect(batches.length).toBeGreaterThan(1);
    expect(jsonOf(batches.flat())).toEqual(lines);
  });

  it("reading an unknown session fails as not-found", async () => {
    const { store } = await make();
    await expect(readAll(store.log, key)).rejects.toEqual(failsAs("not-found"));
  });

  it("the same id under two tenants names two sessions", async () => {
    const { store } = await make();
    const mine = await store.ownership.create(key, summaryOf("s-1"));
    const theirs = await store.ownership.create(
      { ...key, tenant: "acme" },
      summaryOf("s-1", { name: "theirs" }),
    );
    await store.log.append(mine, ['{"n":1}']);
    await store.log.append(theirs, ['{"n":2}']);
    expect(jsonOf(await readAll(store.log, { ...key, tenant: "acme" }))).toEqual(['{"n":2}']);
    expect(await store.catalogue.list("acme")).toEqual([summaryOf("s-1", { name: "theirs" })]);
    expect(await store.catalogue.list("default")).toEqual([summaryOf("s-1")]);
  });
}

function describeCheckpoints(make: Make): void {
  it("the last checkpoint comes back as it was given", async () => {
    const { store } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    expect(await store.log.readCheckpoint(lease)).toBeUndefined();
    const cursor = await store.log.append(lease, ['{"n":1}']);
    await store.log.checkpoint(lease, { cursor: 0, state: "[]" });
    const last = { cursor, state: '{ "a": [1, "}"], "é": 1.0 }' };
    await store.log.checkpoint(lease, last);
    expect(await store.log.readCheckpoint(lease)).toEqual(last);
    await store.ownership.release(lease);
    const opened = await store.ownership.claim(key);
    expect(opened.checkpoint).toEqual(last);
    await expect(store.log.checkpoint(lease, last)).rejects.toEqual(failsAs("conflict"));
  });
}
