/** What every `SessionFiles` must pass. */
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Store } from "../store.ts";
import { disposing, failsAs, key, type Make, summaryOf } from "./contract.ts";

const MAX_BYTES = 1024 * 1024;
const textOf = (content: Uint8Array | undefined) => content && Buffer.from(content).toString("utf8");
const read = async (store: Store, name: string, of = key) =>
  textOf(await store.files.read(of, name, MAX_BYTES));
const namesIn = async (store: Store, folder: string) =>
  (await store.files.list(key, folder)).map(({ name }) => name).toSorted();

export function describeSessionFilesContract(name: string, factory: Make): void {
  describe(`${name} keeps the SessionFiles contract`, () => {
    const make = disposing(factory);

    it("what is put is read, listed and removed, and is in the working copy", async () => {
      const { store } = await make();
      const lease = await store.ownership.create(key, summaryOf("s-1"));
      expect(await read(store, "plan.md")).toBeUndefined();
      expect(await store.files.list(key, "checkpoints")).toEqual([]);
      await store.files.put(lease, "plan.md", "# Plan äöü");
      await store.files.put(lease, "checkpoints/001-a.md", Buffer.from([0, 255, 10]));
      await store.files.put(lease, "checkpoints/002-b.md", "two");
      await store.files.put(lease, "checkpoints/002-b.md", "two again");
      expect(await read(store, "plan.md")).toBe("# Plan äöü");
      expect(Buffer.from((await store.files.read(key, "checkpoints/001-a.md", 3))!)).toEqual(
        Buffer.from([0, 255, 10]),
      );
      expect(await store.files.read(key, "checkpoints/001-a.md", 2)).toBeUndefined();
      expect(await namesIn(store, "checkpoints")).toEqual(["001-a.md", "002-b.md"]);
      expect((await store.files.list(key, "checkpoints")).find(({ name }) => name === "002-b.md")).toEqual({
        name: "002-b.md",
        bytes: 9,
        modifiedMs: expect.any(Number),
      });
      const directory = store.files.directoryOf(key);
      expect(await readFile(join(directory, "checkpoints/002-b.md"), "utf8")).toBe("two again");
      await store.files.remove(lease, "checkpoints/001-a.md");
      await store.files.remove(lease, "checkpoints/001-a.md");
      expect(await namesIn(store, "checkpoints")).toEqual(["002-b.md"]);
      await expect(store.files.put(lease, "../outside", "x")).rejects.toThrow();
    });

    it("everything is there for the next owner, with what was changed in the working copy and checked in", async () => {
      const { store, other } = await make();
      const lease = await store.ownership.create(key, summaryOf("s-1"));
      await store.files.put(lease, "plan.md", "the plan");
      await store.files.put(lease, "file-history/abc", "before");
      const directory = store.files.directoryOf(key);
      await mkdir(join(directory, "files/deep/empty"), { recursive: true });
      await writeFile(join(directory, "files/deep/note.txt"), "made by a tool");
      await writeFile(join(directory, "session.db"), "rows");
      await store.files.checkIn(lease, "files");
      await writeFile(join(directory, "plan.md"), "the plan, edited");
      await store.files.checkIn(lease);
      await store.ownership.release(lease);
      const next = await other.ownership.claim(key);
      expect(await read(other, "plan.md")).toBe("the plan, edited");
      expect(await read(other, "session.db")).toBe("rows");
      expect(await read(other, "file-history/abc")).toBe("before");
      const copy = other.files.directoryOf(key);
      expect(await readFile(join(copy, "files/deep/note.txt"), "utf8")).toBe("made by a tool");
      expect(await readdir(join(copy, "files/deep"))).toEqual(["empty", "note.txt"]);
      await expect(store.files.put(lease, "plan.md", "late")).rejects.toEqual(failsAs("conflict"));
      await expect(store.files.remove(lease, "plan.md")).rejects.toEqual(failsAs("conflict"));
      await other.files.put(next.lease, "plan.md", "theirs");
      expect(await read(other, "plan.md")).toBe("theirs");
    });

    it("what is changed in the working copy until the session is given back is kept, and what is removed is gone", async () => {
      const { store, other } = await make();
      const lease = await store.ownership.create(key, summaryOf("s-1"));
      await store.files.put(lease, "files/gone.txt", "x");
      await store.files.put(lease, "files/stays.txt", "y");
      const directory = store.files.directoryOf(key);
      await writeFile(join(directory, "files/late.txt"), "late");
      await store.files.remove(lease, "files/gone.txt");
      await store.ownership.release(lease);
      await other.ownership.claim(key);
      expect(await namesIn(other, "files")).toEqual(["late.txt", "stays.txt"]);
    });

    it("links, folders and what is missing are no files", async () => {
      const { store } = await make();
      const lease = await store.ownership.create(key, summaryOf("s-1"));
      await store.files.put(lease, "files/real", "x");
      const directory = store.files.directoryOf(key);
      await symlink(join(directory, "files/real"), join(directory, "files/link"));
      await mkdir(join(directory, "files/folder"));
      expect(await namesIn(store, "files")).toEqual(["real"]);
      expect(await read(store, "files/folder")).toBeUndefined();
      expect(await read(store, "files/real/below")).toBeUndefined();
    });

    it("files and folders are copied into another session, without those that are not named", async () => {
      const { store } = await make();
      const lease = await store.ownership.create(key, summaryOf("s-1"));
      await store.files.put(lease, "plan.md", "plan");
      await store.files.put(lease, "session.db", "rows");
      await mkdir(join(store.files.directoryOf(key), "files/a"), { recursive: true });
      await writeFile(join(store.files.directoryOf(key), "files/a/b.txt"), "b");
      const to = { ...key, sessionId: "s-2" };
      const target = await store.ownership.create(to, summaryOf("s-2"));
      await store.files.copy(key, target, ["plan.md", "files", "checkpoints"]);
      expect(await read(store, "plan.md", to)).toBe("plan");
      expect(await read(store, "files/a/b.txt", to)).toBe("b");
      expect(await read(store, "session.db", to)).toBeUndefined();
      expect(await read(store, "plan.md")).toBe("plan");
    });

    it("a deleted session's files are gone, and a new one of its id has none", async () => {
      const { store, other } = await make();
      const lease = await store.ownership.create(key, summaryOf("s-1"));
      await store.files.put(lease, "plan.md", "plan");
      const directory = store.files.directoryOf(key);
      await store.ownership.delete(key);
      await expect(readdir(directory)).rejects.toMatchObject({ code: "ENOENT" });
      await expect(store.files.put(lease, "plan.md", "plan")).rejects.toEqual(failsAs("conflict"));
      await other.ownership.create(key, summaryOf("s-1"));
      expect(await read(other, "plan.md")).toBeUndefined();
    });

    it("files count as what their tenant has stored", async () => {
      const { store } = await make();
      const lease = await store.ownership.create(key, summaryOf("s-1"));
      const before = await store.catalogue.storedBytes("default");
      await store.files.put(lease, "plan.md", "x".repeat(10_000));
      await mkdir(join(store.files.directoryOf(key), "temp"), { recursive: true });
      await writeFile(join(store.files.directoryOf(key), "temp/output.txt"), "x".repeat(10_000));
      expect((await store.catalogue.storedBytes("default")) - before).toBeGreaterThanOrEqual(20_000);
    });
  });
}
