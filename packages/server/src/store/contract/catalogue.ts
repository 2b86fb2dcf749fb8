/** What every `Catalogue` must pass. */
import { describe, expect, it } from "vitest";
import type { ListPosition } from "../catalogue.ts";
import { disposing, failsAs, key, type Make, summaryOf } from "./contract.ts";

export function describeCatalogueContract(name: string, factory: Make): void {
  describe(`${name} keeps the Catalogue contract`, () => {
    const make = disposing(factory);
    describeSummaries(make);
    describePages(make);
    describeTenants(make);
    describeCheck(make);
  });
}

function describePages(make: Make): void {
  it("pages go through all that a query has, each once, also where many changed at the same time", async () => {
    const { store } = await make();
    const context = { cwd: "/w", branch: "main" };
    const summaries = Array.from({ length: 9 }, (_, n) =>
      summaryOf(`s-${n}`, {
        modifiedTime: `2025-01-01T00:00:0${Math.floor(n / 4)}.000Z`,
        context: { ...context, branch: n === 5 ? "dev" : "main" },
      }),
    );
    for (const summary of summaries)
      await store.ownership.create({ ...key, sessionId: summary.sessionId }, summary);
    const listed: string[] = [];
    for (let after: ListPosition | undefined; ; ) {
      const page = await store.catalogue.list("default", { branch: "main", limit: 3, after });
      listed.push(...page.map(({ sessionId }) => sessionId));
      after = page.at(-1);
      if (!after) break;
    }
    expect(listed).toEqual(["s-8", "s-4", "s-6", "s-7", "s-0", "s-1", "s-2", "s-3"]);
  });
}

function describeSummaries(make: Make): void {
  const at = (minute: number) => `2025-01-01T00:0${minute}:00.000Z`;

  it("lists the last changed first, filtered and limited", async () => {
    const { store } = await make();
    const summaries = [1, 2, 3, 4].map((n) =>
      summaryOf(`s-${n}`, {
        modifiedTime: at(n),
        context: { cwd: "/w", gitRoot: "/w", repository: "a/b", branch: n % 2 ? "main" : "dev" },
      }),
    );
    for (const summary of summaries)
      await store.ownership.create({ ...key, sessionId: summary.sessionId }, summary);
    const ids = async (query: object) =>
      (await store.catalogue.list("default", query)).map((summary) => summary.sessionId);
    expect(await store.catalogue.list("default")).toEqual(summaries.toReversed());
    expect(await ids({ limit: 2 })).toEqual(["s-4", "s-3"]);
    expect(await ids({ branch: "main" })).toEqual(["s-3", "s-1"]);
    expect(await ids({ branch: "main", cwd: "/w", gitRoot: "/w", repository: "a/b", limit: 1 })).toEqual([
      "s-3",
    ]);
    expect(await ids({ cwd: "/elsewhere" })).toEqual([]);
    expect(await store.catalogue.list("nobody")).toEqual([]);
  });

  it("a summary that was set replaces the former one, for other processes after the release", async () => {
    const { store, other } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    await store.ownership.create({ ...key, sessionId: "s-2" }, summaryOf("s-2", { modifiedTime: at(1) }));
    expect((await store.catalogue.list("default"))[0]?.sessionId).toBe("s-2");
    const changed = summaryOf("s-1", { modifiedTime: at(2), name: "renamed", summary: "a title" });
    store.catalogue.setSummary(lease, changed);
    expect(await store.catalogue.get(key)).toEqual(changed);
    expect((await store.catalogue.list("default"))[0]).toEqual(changed);
    await store.ownership.release(lease);
    expect(await other.catalogue.get(key)).toEqual(changed);
    expect(await other.catalogue.list("default", { limit: 1 })).toEqual([changed]);
  });

  it("there is no summary of an unknown session", async () => {
    const { store } = await make();
    expect(await store.catalogue.get(key)).toBeUndefined();
  });
}

function describeTenants(make: Make): void {
  it("tells which tenants there are, and what each has stored", async () => {
    const { store } = await make();
    const acme = await store.ownership.create({ tenant: "acme", sessionId: "s-1" }, summaryOf("s-1"));
    const ours = await store.ownership.create(key, summaryOf("s-1"));
    await store.log.append(acme, [JSON.stringify({ text: "x".repeat(10_000) })]);
    await store.log.append(ours, ['{"n":1}']);
    expect((await store.catalogue.tenants()).sort()).toEqual(["acme", "default"]);
    expect(await store.catalogue.storedBytes("acme")).toBeGreaterThan(10_000);
    expect(await store.catalogue.storedBytes("default")).toBeLessThan(10_000);
    expect(await store.catalogue.storedBytes("nobody")).toBe(0);
    await store.ownership.delete({ tenant: "acme", sessionId: "s-1" });
    expect(await store.catalogue.storedBytes("acme")).toBeLessThan(10_000);
    await expect(store.catalogue.storedBytes("../acme")).rejects.toEqual(failsAs("invalid-key"));
  });
}

function describeCheck(make: Make): void {
  it("a check of the store leaves nothing behind, and ends no lease", async () => {
    const { store } = await make();
    const lease = await store.ownership.create(key, summaryOf("s-1"));
    await store.check();
    expect(await store.catalogue.list("default")).toEqual([summaryOf("s-1")]);
    expect(await store.log.append(lease, ['{"n":1}'])).toBeGreaterThan(0);
  });
}
