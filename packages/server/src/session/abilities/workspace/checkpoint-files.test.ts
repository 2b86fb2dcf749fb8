import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { summaryOf } from "../../../store/contract/contract.ts";
import { createFileStore } from "../../../store/files/file-store.ts";
import { listCheckpointFiles, readCheckpointFile, writeCheckpointFile } from "./checkpoint-files.ts";
import type { OwnedFiles } from "./owned-files.ts";

let home: string;
let directory: string;
let owned: OwnedFiles;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "rightseat-checkpoints-"));
  const { files, ownership } = createFileStore({ home, durability: "os" });
  const key = { tenant: "default", sessionId: "s" };
  owned = { files, key, lease: await ownership.create(key, summaryOf("s")) };
  directory = files.directoryOf(key);
});
const write = (text: { title: string; content: string }) =>
  writeCheckpointFile(owned, text, async () => undefined);
afterEach(() => rm(home, { recursive: true }));

test("summaries are numbered, listed oldest first, and read again", async () => {
  expect(await listCheckpointFiles(owned)).toEqual([]);
  const first = await write({ title: "A | first: one!", content: "FIRST" });
  const second = await write({ title: "日本語", content: "SECOND" });
  expect(first).toMatchObject({ number: 1, title: "A / first: one!", filename: "001-a-first-one.md" });
  expect(second).toMatchObject({ number: 2, filename: "002-checkpoint.md" });
  expect(await listCheckpointFiles(owned)).toEqual([
    { number: 1, title: "A / first: one!", filename: "001-a-first-one.md" },
    { number: 2, title: "日本語", filename: "002-checkpoint.md" },
  ]);
  expect(await readCheckpointFile(owned, 2)).toBe("SECOND\n");
  expect(await readCheckpointFile(owned, 3)).toBeUndefined();
  expect(await readFile(second.path, "utf8")).toBe("SECOND\n");
});

test("those that are written at the same time have a number each, and are all in the index", async () => {
  const written = await Promise.all(
    Array.from({ length: 8 }, (_, n) => write({ title: `t${n}`, content: `c${n}` })),
  );
  expect(written.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect((await listCheckpointFiles(owned)).map(({ title }) => title)).toEqual(
    written.map(({ title }) => title),
  );
});

test("a title never leads out of the folder", async () => {
  const { path } = await write({
    title: "../../etc/passwd\n| 9 | x | y |",
    content: "x",
  });
  expect(path).toBe(join(directory, "checkpoints", "001-etc-passwd-9-x-y.md"));
  expect(await listCheckpointFiles(owned)).toHaveLength(1);
});
