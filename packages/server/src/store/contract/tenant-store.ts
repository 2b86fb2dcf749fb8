/** What every `TenantStore` must pass. */
import { describe, expect, it } from "vitest";
import { disposing, failsAs, type Make } from "./contract.ts";

export function describeTenantStoreContract(name: string, factory: Make): void {
  describe(`${name} keeps the TenantStore contract`, () => {
    const make = disposing(factory);

    it("a document is what the last change made of it, for every node, and has another version then", async () => {
      const { store, other } = await make();
      const mine = store.tenants.document("acme", "permissions");
      const theirs = other.tenants.document("acme", "permissions");
      expect([await mine.version(), await mine.read()]).toEqual([undefined, undefined]);
      const first = await mine.change((text) => `${text ?? "nothing"}, one äöü`);
      expect(first.text).toBe("nothing, one äöü");
      expect([await theirs.version(), await theirs.read()]).toEqual([first.version, first]);
      const second = await theirs.change((text) => `${text}, two`);
      expect(await mine.read()).toEqual({ text: "nothing, one äöü, two", version: second.version });
      expect(second.version).not.toBe(first.version);
    });

    it("changes made at the same time by several nodes are all in it", async () => {
      const { store, other } = await make();
      const documents = [store, other, store].map(({ tenants }) => tenants.document("acme", "permissions"));
      await Promise.all(
        Array.from({ length: 30 }, (_, n) => documents[n % 3]!.change((text = "") => `${text}${n};`)),
      );
      const { text } = (await documents[0]!.read())!;
      const numbers = text.split(";").slice(0, -1).map(Number);
      expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    });

    it("a change that is given up changes nothing, and holds nobody up", async () => {
      const { store } = await make();
      const document = store.tenants.document("acme", "permissions");
      const kept = await document.change(() => "kept");
      const giveUp = new RangeError("too many");
      await expect(
        document.change(() => {
          throw giveUp;
        }),
      ).rejects.toBe(giveUp);
      expect(await document.read()).toEqual(kept);
      expect((await document.change((text) => `${text}!`)).text).toBe("kept!");
    });

    it("tenants have documents of their own, and only tenants that a store can name", async () => {
      const { store } = await make();
      await store.tenants.document("acme", "permissions").change(() => "theirs");
      expect(await store.tenants.document("default", "permissions").read()).toBeUndefined();
      expect(() => store.tenants.document("../acme", "permissions")).toThrow(failsAs("invalid-key"));
    });
  });
}
