import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readPlan, writePlan } from "../session/abilities/workspace/session-plan.ts";
import { workspaceFilesOf } from "../session/abilities/workspace/workspace-files.ts";
import { summaryOf } from "../store/contract/contract.ts";
import { createFileStore } from "../store/files/file-store.ts";
import { readRegularFile, writeRegularFile } from "./regular-file.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "regular-"));
});
afterEach(() => rm(directory, { recursive: true }));

function pipe(name: string): string {
  const path = join(directory, name);
  execFileSync("mkfifo", [path]);
  return path;
}

test("a file is read whole, up to its cap, and files of the system's own without a size", async () => {
  const path = join(directory, "a");
  await writeFile(path, "12345");
  expect(String(await readRegularFile(path, 5))).toBe("12345");
  expect(await readRegularFile(path, 4)).toBeUndefined();
  expect(String(await readRegularFile("/proc/self/status", 1024 * 1024))).toContain("Name:");
});

test("pipes, devices and directories are no files, and nobody waits for them", async () => {
  // More than there are threads that read files.
  const pipes = Array.from({ length: 8 }, (_, index) => pipe(`p${index}`));
  const read = await Promise.all([...pipes, "/dev/zero", directory].map((path) => readRegularFile(path, 10)));
  expect(read).toEqual(read.map(() => undefined));
  await Promise.all(
    pipes.map((path) => expect(writeRegularFile(path, "x")).rejects.toMatchObject({ code: "ENXIO" })),
  );
  await expect(writeRegularFile("/dev/null", "x")).rejects.toMatchObject({ code: "EINVAL" });
});

test("a file is written over, and made for its owner alone", async () => {
  const path = join(directory, "a");
  await writeRegularFile(path, "longer");
  await writeRegularFile(path, "new");
  expect(await readFile(path, "utf8")).toBe("new");
});

test("a session's own files that are pipes are refused by name, its plan too", async () => {
  const store = createFileStore({ home: directory, durability: "os" });
  const key = { tenant: "default", sessionId: "s" };
  const lease = await store.ownership.create(key, summaryOf("s"));
  const owned = { files: store.files, key, lease };
  const files = workspaceFilesOf(owned);
  await files.write("here", "x");
  pipe("session-state/s/files/p");
  pipe("session-state/s/plan.md");
  await expect(files.read("p")).rejects.toMatchObject({ reason: "invalid_params" });
  await expect(files.write("p", "x")).rejects.toMatchObject({ reason: "invalid_params" });
  expect(await readPlan(owned)).toMatchObject({ exists: false });
  await expect(writePlan(owned, "x")).rejects.toThrow();
  await store.close();
});
