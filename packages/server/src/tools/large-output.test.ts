import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BuiltInToolHost } from "./built-in-tool.ts";
import { openOutputFile } from "./large-output.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "large-output-"));
});
afterEach(() => rm(root, { recursive: true }));

const hostOf = (directory: string) =>
  ({ largeOutputDirectory: () => directory, sessionDirectory: () => root }) as unknown as BuiltInToolHost;
const nameOf = (time: number) => `${time}-copilot-tool-output-0123abcd.txt`;

async function keepOne(host: BuiltInToolHost): Promise<void> {
  const file = await openOutputFile(host);
  await file?.handle.close();
}

test("what was kept before the session was resumed counts: of the files the oldest go", async () => {
  const directory = join(root, "temp");
  await mkdir(directory);
  await writeFile(join(directory, "notes.txt"), "not an output");
  // The number is the time, whatever the length.
  for (let time = 1; time <= 300; time += 1) await writeFile(join(directory, nameOf(time)), "");
  await keepOne(hostOf(directory));
  const names = await readdir(directory);
  expect(names).toHaveLength(256 + 1);
  expect(names).toContain("notes.txt");
  expect(names).not.toContain(nameOf(45));
  expect(names).toContain(nameOf(46));
});

test("what was kept before counts by its bytes", async () => {
  const directory = join(root, "temp");
  await mkdir(directory);
  for (const time of [1, 2, 3]) {
    await writeFile(join(directory, nameOf(time)), "");
    await truncate(join(directory, nameOf(time)), 100 * 1024 * 1024);
  }
  await keepOne(hostOf(directory));
  const names = await readdir(directory);
  expect(names).toHaveLength(3);
  expect(names).not.toContain(nameOf(1));
});

test("in a directory that others may use, too, nothing of theirs is dropped", async () => {
  const directory = await mkdtemp(join(tmpdir(), "shared-output-"));
  for (let time = 1; time <= 300; time += 1) await writeFile(join(directory, nameOf(time)), "");
  await keepOne(hostOf(directory));
  expect(await readdir(directory)).toHaveLength(301);
  await rm(directory, { recursive: true });
});
