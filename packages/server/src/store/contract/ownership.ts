/** What every `Ownership` must pass. */
import { describe, expect, it } from "vitest";
import type { SessionKey } from "../session-key.ts";
import { disposing, failsAs, jsonOf, key, type Make, readAll, summaryOf } from "./contract.ts";

export function describeOwnershipContract(name: string, factory: Make): void {
  describe(`${name} keeps the Ownership contract`, () => {
    const make = disposing(factory);
    describeLeases(make);
    describeOwners(make);
    describeDeletion(make);
    describeKeys(make);
  });
}

function describeOwners(make: Make): void {
  it("tells whose a session is, also to others, and nobody's once its owner has closed", async () => {
    const { store, other } = await make();
    expect(await store.ownership.ownerOf(key)).toBeUndefined();
    await store.ownership.create(key, summaryOf("s-1"));
    const mine = await store.ownership.ownerOf(key);
    expect(mine).toEqual({ node: expect.any(String), address: expect.any(String), isHere: true });
    expect(await other.ownership.ownerOf(key)).toEqual({ ...mine, isHere: false });
    await store.close();
    expect(await other.ownership.ownerOf(key)).toBeUndefined();
  });

  it("a lease is held until it is given back, deleted or another generation begins", async () => {
    const { store, other } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    expect(store.ownership.holds(lease)).toBe(true);
    expect(other.ownership.holds(lease)).toBe(false);
    await store.ownership.release(lease);
    expect(store.ownership.holds(lease)).toBe(false);
    const again = await store.ownership.claim(key);
    expect([lease, again.lease].map((held) => store.ownership.holds(held))).toEqual([false, true]);
    await store.ownership.delete(key);
    expect(store.ownership.holds(again.lease)).toBe(false);
  });
}

function describeLeases(make: Make): void {
  it("a new session has generation 1, and its id is taken", async () => {
    const { store, other } = await make();
    expect(await store.ownership.create(key, summaryOf("s-1"))).toEqual({ ...key, generation: 1 });
    await expect(store.ownership.create(key, summaryOf("s-1"))).rejects.toEqual(failsAs("conflict"));
    await expect(other.ownership.create(key, summaryOf("s-1"))).rejects.toEqual(failsAs("conflict"));
  });

  it("of many that create one id at once, one succeeds", async () => {
    const { store, other } = await make();
    const attempts = Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? store : other).ownership.create(key, summaryOf("s-1")),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
  });

  it("a released session opens again under a higher generation; the old lease is refused", async () => {
    const { store } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    const end = await store.log.append(lease, ['{"n":1}']);
    await store.ownership.release(lease);
    await store.ownership.release(lease);
    await expect(store.log.append(lease, ['{"n":2}'])).rejects.toEqual(failsAs("conflict"));
    const opened = await store.ownership.claim(key);
    expect(opened.end).toBe(end);
    expect(opened.lease.generation).toBeGreaterThan(lease.generation);
    await expect(store.log.append(lease, ['{"n":2}'])).rejects.toEqual(failsAs("conflict"));
    expect(() => store.catalogue.setSummary(lease, summaryOf("s-1"))).toThrow(failsAs("conflict"));
    await store.log.append(opened.lease, ['{"n":3}']);
    expect(jsonOf(await readAll(store.log, key))).toEqual(['{"n":1}', '{"n":3}']);
  });

  it("a release lets the appends called before it finish", async () => {
    const { store } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    const appends = Array.from({ length: 10 }, (_, n) => store.log.append(lease, [`{"n":${n}}`]));
    await store.ownership.release(lease);
    await Promise.all(appends);
    expect(await readAll(store.log, key)).toHaveLength(10);
  });

  it("opening an unknown session fails as not-found", async () => {
    const { store } = await make();
    await expect(store.ownership.claim(key)).rejects.toEqual(failsAs("not-found"));
  });

  it("an owner keeps its session unless it decides to hand over", async () => {
    const { store, other } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    await store.log.append(lease, ['{"n":1}']);
    await expect(other.ownership.claim(key)).rejects.toEqual(failsAs("conflict"));
    store.ownership.onHandover(async () => false);
    await expect(other.ownership.claim(key)).rejects.toEqual(failsAs("conflict"));
    await store.log.append(lease, ['{"n":2}']);
    const asked: SessionKey[] = [];
    store.ownership.onHandover(async (wanted) => {
      asked.push(wanted);
      await store.ownership.release(lease);
      return true;
    });
    const opened = await other.ownership.claim(key);
    expect(asked).toEqual([key]);
    await expect(store.log.append(lease, ['{"n":3}'])).rejects.toEqual(failsAs("conflict"));
    await other.log.append(opened.lease, ['{"n":4}']);
    expect(jsonOf(await readAll(store.log, key))).toEqual(['{"n":1}', '{"n":2}', '{"n":4}']);
  });

  it("a closed log gives everything back", async () => {
    const { store, other } = await make();
    await store.ownership.create(key, summaryOf("s-1"));
    await store.close();
    expect((await other.ownership.claim(key)).lease.generation).toBe(2);
  });
}

function describeDeletion(make: Make): void {
  it("a deleted session is gone, its lease is refused, and its id is free", async () => {
    const { store, other } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    await store.log.append(lease, ['{"n":1}']);
    expect(await store.catalogue.list("default")).toHaveLength(1);
    expect(await store.ownership.delete(key)).toBe(true);
    expect(await store.ownership.delete(key)).toBe(false);
    await expect(store.log.append(lease, ['{"n":2}'])).rejects.toEqual(failsAs("conflict"));
    await expect(readAll(store.log, key)).rejects.toEqual(failsAs("not-found"));
    await expect(other.ownership.claim(key)).rejects.toEqual(failsAs("not-found"));
    expect(await store.catalogue.get(key)).toBeUndefined();
    expect(await store.catalogue.list("default")).toEqual([]);
    await store.ownership.create(key, summaryOf("s-1"));
    expect(await readAll(store.log, key)).toEqual([]);
  });

  it("a session that another living owner keeps is not deleted", async () => {
    const { store, other } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    await expect(other.ownership.delete(key)).rejects.toEqual(failsAs("conflict"));
    await store.log.append(lease, ['{"n":1}']);
    store.ownership.onHandover(async () => true);
    expect(await other.ownership.delete(key)).toBe(true);
    await expect(store.log.append(lease, ['{"n":2}'])).rejects.toEqual(failsAs("conflict"));
  });
}

function describeKeys(make: Make): void {
  const invalid = ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a\0b", "x".repeat(129), "ä", "a b"];

  it("ids that could leave the store are refused as invalid-key everywhere", async () => {
    const { store } = await make();
    for (const bad of invalid) {
      for (const wrong of [
        { tenant: "default", sessionId: bad },
        { tenant: bad, sessionId: "s" },
      ]) {
        const refused = failsAs("invalid-key");
        await expect(store.ownership.create(wrong, summaryOf("s"))).rejects.toEqual(refused);
        await expect(store.ownership.claim(wrong)).rejects.toEqual(refused);
        await expect(store.ownership.ownerOf(wrong)).rejects.toEqual(refused);
        await expect(store.catalogue.get(wrong)).rejects.toEqual(refused);
        expect(() => store.files.directoryOf(wrong)).toThrow(refused);
        await expect(store.ownership.delete(wrong)).rejects.toEqual(refused);
        expect(() => store.log.read(wrong)).toThrow(refused);
      }
      await expect(store.catalogue.list(bad)).rejects.toEqual(failsAs("invalid-key"));
    }
    const longest = { tenant: "default", sessionId: "x".repeat(128) };
    expect((await store.ownership.create(longest, summaryOf(longest.sessionId))).generation).toBe(1);
  });
}
