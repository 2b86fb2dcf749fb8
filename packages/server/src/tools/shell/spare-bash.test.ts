import { mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SpareBash } from "./spare-bash.ts";
import type { SpawnedCommand } from "./spawn-command.ts";

let directory = "";
let spare: SpareBash;
const env = { PATH: process.env.PATH ?? "", WHERE: "here" };
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "spare-")));
  spare = new SpareBash();
});
afterEach(async () => {
  await spare.dispose();
  await rm(directory, { recursive: true, force: true });
});

async function outputOf(command: SpawnedCommand | undefined): Promise<string | undefined> {
  if (!command) return undefined;
  const parts: Buffer[] = [];
  for await (const part of command.output) parts.push(part as Buffer);
  return Buffer.concat(parts).toString().replace(`\0${command.token} 0\0`, "<0>");
}

test("runs a command in a bash that was there before", async () => {
  await spare.prepare({ cwd: directory, env });
  const command = await spare.run(
    { cwd: directory, env },
    'echo "$PWD $WHERE $# $SECONDS"; echo e >/dev/stderr',
  );
  expect(await outputOf(command)).toBe(`${directory} here 0 0\ne\n<0>`);
  expect(await spare.run({ cwd: directory, env }, "true")).toBeUndefined();
});

test("one that waits is left alone by another, and ends with its session", async () => {
  await spare.prepare({ cwd: directory, env });
  await spare.prepare({ cwd: directory, env });
  const command = await spare.run({ cwd: directory, env }, "exec sleep 1000");
  await spare.prepare({ cwd: directory, env });
  await spare.dispose();
  await spare.prepare({ cwd: directory, env });
  expect(await spare.run({ cwd: directory, env }, "true")).toBeUndefined();
  process.kill(-(command?.pid ?? Number.NaN), "SIGKILL");
});

test.each([
  ["another environment", () => ({ cwd: directory, env: { ...env, WHERE: "there" } })],
  ["another directory", () => ({ cwd: tmpdir(), env })],
])("is not used for %s", async (_name, options) => {
  await spare.prepare({ cwd: directory, env });
  expect(await spare.run(options(), "true")).toBeUndefined();
});

test("is not used when another directory has the name of its own by now", async () => {
  await spare.prepare({ cwd: directory, env });
  await rm(directory, { recursive: true });
  await mkdir(directory);
  expect(await spare.run({ cwd: directory, env }, "true")).toBeUndefined();
});

test("what cannot be started is no failure", async () => {
  await spare.prepare({ cwd: join(directory, "none"), env });
  expect(await spare.run({ cwd: join(directory, "none"), env }, "true")).toBeUndefined();
});
