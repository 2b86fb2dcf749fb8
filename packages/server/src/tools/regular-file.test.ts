import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createWorkspace } from "../session/abilities/workspace/workspace.ts";
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
  const { files, ...workspace } = createWorkspace(directory);
  await files.write("here", "x");
  pipe("files/p");
  pipe("plan.md");
  await expect(files.read("p")).rejects.toMatchObject({ reason: "invalid_params" });
  await expect(files.write("p", "x")).rejects.toMatchObject({ reason: "invalid_params" });
  expect(await workspace.readPlan()).toMatchObject({ exists: false });
  await expect(workspace.writePlan("x")).rejects.toThrow();
});
