import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WorkspaceFiles } from "./workspace-files.ts";

let home = "";
let files: WorkspaceFiles;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "workspace-files-"));
  files = new WorkspaceFiles(join(home, "files"), async () => undefined);
});
afterEach(() => rm(home, { recursive: true }));

test("files are written, listed and read, directories and all", async () => {
  expect(await files.list()).toEqual([]);
  expect(await files.write("b/c.txt", "one")).toBe("create");
  expect(await files.write("a.txt", "two")).toBe("create");
  expect(await files.write("b/c.txt", "three")).toBe("update");
  expect(await files.list()).toEqual(["a.txt", "b/c.txt"]);
  expect(await files.read("b/c.txt")).toBe("three");
  expect(await files.stat("b")).toMatchObject({ isFile: false, isDirectory: true });
  expect(await files.stat("a.txt")).toMatchObject({ isFile: true, isDirectory: false, size: 3 });
});

test("paths are made, moved and removed", async () => {
  await files.createDirectory("x/y", { recursive: true });
  await files.write("x/y/z.txt", "z");
  await files.rename("x/y", "w");
  expect(await files.list()).toEqual(["w/z.txt"]);
  await expect(files.remove("w", { recursive: false, force: false })).rejects.toThrow(/is a directory/);
  await files.remove("w", { recursive: true, force: false });
  await files.remove("w", { recursive: false, force: true });
  expect(await files.list()).toEqual([]);
});

test("a list has an end, and says so when there are more files", async () => {
  await files.write("a", "");
  const made = Array.from({ length: 20_000 }, (_, n) => join(home, "files", `d${n}`));
  for (let n = 0; n < made.length; n += 500)
    await Promise.all(made.slice(n, n + 500).map((path) => mkdir(path)));
  await expect(files.list()).rejects.toMatchObject({ reason: "limit_exceeded", data: { max: 20_000 } });
  await rm(made[0] as string, { recursive: true });
  expect(await files.list()).toEqual(["a"]);
});

test("pasted texts get names of their own", async () => {
  const saved = await Promise.all(["ü", "b", "c"].map((content) => files.savePaste(content)));
  expect(new Set(saved.map(({ filename }) => filename)).size).toBe(3);
  expect(saved[0]?.sizeBytes).toBe(2);
  for (const { filename, filePath } of saved)
    expect(await files.read(filename)).toBe(await readFile(filePath, "utf8"));
});

describe("what cannot be done with a path is the client's error", () => {
  const invalid = { reason: "invalid_params" };
  test.each<[string, () => Promise<unknown>]>([
    ["reading what is not there", () => files.read("none.txt")],
    ["looking at what is not there", () => files.stat("none.txt")],
    ["reading a directory", () => files.read("dir")],
    ["writing over a directory", () => files.write("dir", "x")],
    ["writing below a file", () => files.write("file/x", "x")],
    ["making what is there", () => files.createDirectory("dir", { recursive: false })],
    ["making below what is not there", () => files.createDirectory("none/x", { recursive: false })],
    ["removing what is not there", () => files.remove("none", { recursive: false, force: false })],
    ["moving what is not there", () => files.rename("none", "x")],
    ["moving a directory into itself", () => files.rename("dir", "dir/dir")],
    ["a name that is too long", () => files.write("n".repeat(300), "x")],
  ])("%s", async (_title, call) => {
    await files.write("file", "x");
    await files.createDirectory("dir", { recursive: false });
    await expect(call()).rejects.toMatchObject(invalid);
  });
});

describe("no path leads out", () => {
  const PATHS = ["..", ".", "", "/etc/passwd", "../x", "a/../../x", "a/../..", "x\0y", "../files-too/x"];
  const CALLS: [string, (path: string) => Promise<unknown>][] = [
    ["read", (path) => files.read(path)],
    ["write", (path) => files.write(path, "x")],
    ["stat", (path) => files.stat(path)],
    ["createDirectory", (path) => files.createDirectory(path, { recursive: true })],
    ["remove", (path) => files.remove(path, { recursive: true, force: true })],
    ["rename from", (path) => files.rename(path, "here")],
    ["rename to", (path) => files.rename("kept", path)],
  ];

  test.each(CALLS)("of %s", async (_name, call) => {
    await files.write("kept", "x");
    for (const path of PATHS) await expect(call(path)).rejects.toThrow(/workspace files directory/);
    expect(await readdir(home)).toEqual(["files"]);
    expect(await files.list()).toEqual(["kept"]);
  });

  test.each(CALLS)("by a link, of %s", async (_name, call) => {
    await mkdir(join(home, "outside"));
    await writeFile(join(home, "outside", "secret"), "s");
    await files.write("kept", "x");
    await symlink(join(home, "outside"), join(home, "files", "link"));
    await symlink(join(home, "outside", "new"), join(home, "files", "dangling"));
    await symlink("../outside/secret", join(home, "files", "file"));
    for (const path of ["link/secret", "link/new/deep", "link", "dangling", "file"])
      await expect(call(path)).rejects.toThrow(/workspace files directory/);
    expect(await readdir(join(home, "outside"))).toEqual(["secret"]);
    expect(await readFile(join(home, "outside", "secret"), "utf8")).toBe("s");
  });
});
