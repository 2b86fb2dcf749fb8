import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openAuditLog } from "./audit-log.ts";

async function temporaryPath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "rightseat-audit-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return join(directory, "audit.jsonl");
}

const entriesOf = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const { time, level, ...entry } = JSON.parse(line);
      return entry;
    });

test("while its disk is full, calls are refused, and no entry is missing when there is room again", async () => {
  const path = await temporaryPath();
  await symlink("/dev/full", path);
  const troubles: string[] = [];
  const audit = openAuditLog({
    path,
    onFailure: "refuse",
    onTrouble: (why) => troubles.push(why),
    retryMs: 5,
  });
  expect(audit.refusal).toBeUndefined();
  audit.write({ method: "one" });
  await expect.poll(() => audit.refusal).toMatch(/ENOSPC/);
  audit.write({ method: "two" });
  await unlink(path);
  await expect.poll(() => audit.refusal).toBeUndefined();
  expect(await audit.close()).toBe(true);
  expect(entriesOf(await readFile(path, "utf8"))).toEqual([{ method: "one" }, { method: "two" }]);
  expect({ troubles: troubles.length, lost: audit.lost }).toEqual({ troubles: 1, lost: 0 });
});

test("set to go on, it refuses nothing, and an entry tells how many are missing", async () => {
  const path = await temporaryPath();
  await symlink("/dev/full", path);
  const audit = openAuditLog({
    path,
    onFailure: "continue",
    onTrouble: () => undefined,
    retryMs: 5,
    maxWaitingCharacters: 200,
  });
  for (let count = 0; count < 10; count++) audit.write({ method: `call ${count}` });
  await expect.poll(() => audit.lost).toBeGreaterThan(0);
  expect(audit.refusal).toBeUndefined();
  const { lost } = audit;
  await unlink(path);
  await expect.poll(() => readFile(path, "utf8").catch(() => "")).toContain("missing");
  await audit.close();
  const entries = entriesOf(await readFile(path, "utf8"));
  expect(entries).toHaveLength(10 - lost + 1);
  expect(entries.at(-1)).toEqual({ missing: lost, why: expect.stringContaining("ENOSPC") });
});

test("a named pipe that nobody has open is refused for, and is written when somebody has", async () => {
  const path = await temporaryPath();
  execFileSync("mkfifo", [path]);
  const audit = openAuditLog({ path, onFailure: "refuse", onTrouble: () => undefined, retryMs: 5 });
  audit.write({ method: "one" });
  await expect.poll(() => audit.refusal).toMatch(/ENXIO/);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  await expect.poll(() => audit.refusal).toBeUndefined();
  const buffer = Buffer.alloc(1_000);
  expect(entriesOf(buffer.toString("utf8", 0, readSync(reader, buffer)))).toEqual([{ method: "one" }]);
  expect(await audit.close()).toBe(true);
  closeSync(reader);
});
