import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { InstanceSocket } from "./instance-socket.ts";

const LISTEN_AND_DIE = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;

test("folders with sockets that killed processes left among the temporary files go; all others stay", async () => {
  const root = await mkdtemp(join(tmpdir(), "rs-"));
  const folder = async (name: string, ageMs: number, files: readonly string[] = []) => {
    const path = join(root, name);
    await mkdir(path);
    for (const file of files) await writeFile(join(path, file), "");
    return { path, age: () => utimes(path, new Date(), new Date(Date.now() - ageMs)) };
  };
  const dead = await folder("rightseat-aaaaaa", 120_000);
  expect(() => execFileSync(process.execPath, ["-e", LISTEN_AND_DIE, join(dead.path, "s")])).toThrow();
  expect(existsSync(join(dead.path, "s"))).toBe(true);
  const empty = await folder("rightseat-bbbbbb", 120_000);
  const alive = await folder("rightseat-cccccc", 120_000);
  const other = createServer().listen(join(alive.path, "s"));
  await new Promise((resolve) => other.once("listening", resolve));
  const young = await folder("rightseat-dddddd", 0);
  const foreign = await folder("rightseat-eeeeee", 120_000, ["s", "notes.txt"]);
  const named = await folder("rightseat-backups", 120_000);
  for (const { age } of [dead, empty, alive, young, foreign, named]) await age();
  vi.stubEnv("TMPDIR", root);
  const socket = new InstanceSocket(join(root, "home"), async () => "free");
  try {
    await socket.listen();
    await vi.waitUntil(() => !existsSync(dead.path) && !existsSync(empty.path), { timeout: 30_000 });
    for (const { path } of [alive, young, foreign, named]) expect(existsSync(path), path).toBe(true);
  } finally {
    vi.unstubAllEnvs();
    await socket.close();
    other.close();
    await rm(root, { recursive: true });
  }
});

test("without a folder for temporary files, and with a home whose path is too long, the reason is told; later it works", async () => {
  const root = await mkdtemp(join(tmpdir(), "rs-"));
  vi.stubEnv("TMPDIR", join(root, "missing"));
  const socket = new InstanceSocket(join(root, "h".repeat(120)), async () => "free");
  try {
    await expect(socket.listen()).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringMatching(/local socket .* temporary files: ENOENT/),
    });
    await mkdir(join(root, "missing"));
    expect(existsSync(await socket.listen())).toBe(true);
  } finally {
    vi.unstubAllEnvs();
    await socket.close();
    await rm(root, { recursive: true });
  }
});
