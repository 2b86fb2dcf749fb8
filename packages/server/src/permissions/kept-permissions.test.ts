import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFileStore } from "../store/files/file-store.ts";
import { KeptPermissions } from "./kept-permissions.ts";

let home = "";
const store = () => createFileStore({ home: join(home, "deep"), durability: "os" });
const path = () => join(home, "deep", "permissions-config.json");
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "kept-"));
});
afterEach(() => rm(home, { recursive: true }));

const read = async () => JSON.parse(await readFile(path(), "utf8"));
async function opened(): Promise<KeptPermissions> {
  const kept = new KeptPermissions(store().tenants.document("default", "permissions"));
  await kept.refresh();
  return kept;
}

test("what is approved for a location is in a file of the CLI's shape, and there for the next process", async () => {
  const kept = await opened();
  expect(kept.rulesOf("/repo")).toEqual([]);
  await kept.approve("/repo", { kind: "commands", commandIdentifiers: ["ls", "git"] });
  await kept.approve("/repo", { kind: "commands", commandIdentifiers: ["ls", "git"] });
  await kept.approve("/repo", { kind: "write" });
  await kept.allowUrl("example.com");
  await kept.trust("/repo");
  await kept.allowDirectory("/repo", "/other");
  expect(await read()).toEqual({
    locations: {
      "/repo": {
        tool_approvals: [{ kind: "commands", commandIdentifiers: ["ls", "git"] }, { kind: "write" }],
        allowed_directories: ["/other"],
      },
    },
    allowed_urls: ["example.com"],
    trusted_folders: ["/repo"],
  });
  const next = await opened();
  expect(next.rulesOf("/repo")).toEqual([
    { kind: "shell", argument: "ls" },
    { kind: "shell", argument: "git" },
    { kind: "write", argument: null },
  ]);
  expect([next.urls, next.trustedFolders, next.directoriesOf("/repo")]).toEqual([
    ["example.com"],
    ["/repo"],
    ["/other"],
  ]);
  expect(next.rulesOf("/elsewhere")).toEqual([]);
  expect(await readdir(join(home, "deep"))).toEqual(["permissions-config.json"]);
});

test("rules are added and removed, also those that an approval stands for", async () => {
  const kept = await opened();
  await kept.approve("/repo", { kind: "commands", commandIdentifiers: ["ls", "git"] });
  await kept.changeRules("/repo", { add: [{ kind: "read", argument: null }], remove: [] });
  await kept.changeRules("/repo", { add: [], remove: [{ kind: "shell", argument: "ls" }] });
  expect(kept.rulesOf("/repo")).toEqual([
    { kind: "read", argument: null },
    { kind: "shell", argument: "git" },
  ]);
  await kept.changeRules("/repo", { add: [], remove: "all" });
  expect((await opened()).rulesOf("/repo")).toEqual([]);
});

test("changes made at the same time by several are all kept", async () => {
  const several = await Promise.all([opened(), opened(), opened()]);
  await Promise.all(Array.from({ length: 30 }, (_, index) => several[index % 3]!.trust(`/folder-${index}`)));
  expect((await opened()).trustedFolders).toHaveLength(30);
});

test("a lock whose owner is gone holds nobody up", async () => {
  const kept = await opened();
  await kept.trust("/a");
  await writeFile(`${path()}.lock`, "");
  await utimes(`${path()}.lock`, new Date(0), new Date(0));
  await kept.trust("/b");
  expect(kept.trustedFolders).toEqual(["/a", "/b"]);
});

test("a file that is damaged allows nothing and is not written over", async () => {
  const kept = await opened();
  await kept.approve("/repo", { kind: "write" });
  for (const damaged of [
    "{",
    "[]",
    '{"locations": {"/repo": {"tool_approvals": 5}}}',
    '{"allowed_urls": "x"}',
  ]) {
    await writeFile(path(), damaged);
    expect((await opened()).rulesOf("/repo")).toEqual([]);
    await expect(kept.trust("/x")).rejects.toMatchObject({ reason: "storage_unavailable" });
    expect(await readFile(path(), "utf8")).toBe(damaged);
  }
});

test("fields that others wrote stay", async () => {
  const kept = await opened();
  await kept.trust("/a");
  await writeFile(path(), JSON.stringify({ ...(await read()), theirs: { a: 1 } }));
  await kept.trust("/b");
  expect((await read()).theirs).toEqual({ a: 1 });
});

test("a pipe in the place of the file holds nobody up, allows nothing, and is not written over", async () => {
  await mkdir(join(home, "deep"));
  execFileSync("mkfifo", [path()]);
  const kept = await opened();
  expect(kept.rulesOf("/repo")).toEqual([]);
  await expect(kept.trust("/repo")).rejects.toMatchObject({ reason: "storage_unavailable" });
  expect(kept.trustedFolders).toEqual([]);
});
