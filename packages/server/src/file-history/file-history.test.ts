import { execFileSync } from "node:child_process";
import {
  chmod,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listFolder, putName, readName, removeName } from "../store/working-copy.ts";
import { type ContentFolder, DEFAULT_KEPT_FILES_LIMITS, KeptFiles, sha256Of } from "./kept-files.ts";
import { countLineChanges } from "./line-changes.ts";
import { restoreFiles } from "./restore-files.ts";

let root: string;
let kept: KeptFiles;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "rightseat-file-history-")));
  kept = new KeptFiles(folderOf("kept"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const at = (name: string) => join(root, name);
const folderOf = (folder: string): ContentFolder => ({
  list: () => listFolder(root, folder),
  read: (name, maxBytes) => readName(root, `${folder}/${name}`, maxBytes),
  put: (name, content) => putName(root, `${folder}/${name}`, content),
  remove: (name) => removeName(root, `${folder}/${name}`),
});
const bytes = (text: string) => Buffer.from(text);

test("a pipe in the place of a kept content holds nobody up", async () => {
  const sha256 = (await kept.keep(bytes("a"))) as string;
  await rm(join(root, "kept", sha256));
  execFileSync("mkfifo", [join(root, "kept", sha256)]);
  expect(await kept.read(sha256)).toBeUndefined();
});

/** A file that holds `now`, and held `before`; null for none. */
async function changed(name: string, before: string | null, now: string) {
  await writeFile(at(name), now);
  return {
    path: at(name),
    before: before === null ? null : ((await kept.keep(bytes(before))) as string),
    after: sha256Of(bytes(now)),
  };
}

describe("restoring files", () => {
  test("puts back what was changed, and takes away what was made", async () => {
    const edited = await changed("edited", "old and longer\n", "new\n");
    await chmod(at("edited"), 0o755);
    const made = await changed("made", null, "made\n");
    expect(await restoreFiles(kept, [edited, made])).toEqual({
      restored: [edited.path, made.path],
      skipped: [],
    });
    expect(await readFile(at("edited"), "utf8")).toBe("old and longer\n");
    expect((await stat(at("edited"))).mode & 0o777).toBe(0o755);
    await expect(stat(at("made"))).rejects.toMatchObject({ code: "ENOENT" });
    // As it is already: nothing is done, and nothing said.
    expect(await restoreFiles(kept, [edited, made])).toEqual({ restored: [], skipped: [] });
  });

  test("leaves files alone that somebody else changed, took away, or put something in the place of", async () => {
    const edited = await changed("edited", "old", "new");
    await writeFile(at("edited"), "somebody else's");
    const gone = await changed("gone", "old", "new");
    await rm(at("gone"));
    const linked = await changed("linked", "old", "new");
    await rm(at("linked"));
    await writeFile(at("target"), "new");
    await symlink(at("target"), at("linked"));
    const lost = { ...(await changed("lost", "older", "newer")), before: undefined };
    const pruned = { ...(await changed("pruned", "x", "y")), before: sha256Of(bytes("never kept")) };
    expect(await restoreFiles(kept, [edited, gone, linked, lost, pruned])).toEqual({
      restored: [],
      skipped: [
        { path: edited.path, reason: "user-modified" },
        { path: gone.path, reason: "user-modified" },
        { path: linked.path, reason: "user-modified" },
        { path: lost.path, reason: "skipped-capture" },
        { path: pruned.path, reason: "skipped-capture" },
      ],
    });
    expect(await readFile(at("target"), "utf8")).toBe("new");
    expect(await readFile(at("edited"), "utf8")).toBe("somebody else's");
  });

  test("is all or nothing: what was put back is undone when a later one fails", async () => {
    const edited = await changed("edited", "old", "new");
    const made = await changed("made", null, "made");
    const stuck = await changed("stuck", "old too", "stays");
    // Listed, and not to be read.
    await truncate(join(at("kept"), stuck.before as string), DEFAULT_KEPT_FILES_LIMITS.maxFileBytes + 1);
    const result = await restoreFiles(kept, [edited, made, stuck]);
    expect(result).toMatchObject({ restored: [], isRolledBack: true });
    expect(result.error?.message).toContain("is not kept any more");
    expect(await readFile(at("edited"), "utf8")).toBe("new");
    expect(await readFile(at("made"), "utf8")).toBe("made");
  });
});

describe("kept contents", () => {
  test("are kept once each, and the oldest go when there are too many", async () => {
    const small = new KeptFiles(folderOf("small"), { maxFileBytes: 40, maxTotalBytes: 100 });
    const names = [];
    for (const letter of ["a", "b", "c", "a", "d"]) names.push(await small.keep(bytes(letter.repeat(30))));
    expect(names[3]).toBe(names[0]);
    expect(await small.read(names[4] as string)).toEqual(bytes("d".repeat(30)));
    expect(await small.read(names[1] as string)).toBeUndefined();
    expect(await small.keep(bytes("x".repeat(41)))).toBeUndefined();
    expect((await readdir(at("small"))).length * 30).toBeLessThanOrEqual(75 + 30);
  });
});

test.each([
  ["", "a\nb\n", { linesAdded: 2, linesRemoved: 0 }],
  ["l1\nl2\n", "L1\nL1b\nl2\n", { linesAdded: 2, linesRemoved: 1 }],
  ["a\nb\nc", "a\nc", { linesAdded: 0, linesRemoved: 1 }],
  ["same\n", "same\n", { linesAdded: 0, linesRemoved: 0 }],
  ["\0", "text\n", { linesAdded: 0, linesRemoved: 0 }],
])("lines changed from %j to %j", (before, after, expected) => {
  expect(countLineChanges(before === "" ? undefined : bytes(before), bytes(after))).toEqual(expected);
});
