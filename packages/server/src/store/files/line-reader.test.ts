import { readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { seeded } from "../../../test/support/random.ts";
import type { StoredLine } from "../event-log.ts";
import { createLimiter } from "./limiter.ts";
import { type LineSource, readLines } from "./line-reader.ts";

const MB = 1024 * 1024;

let directory: string;
let path: string;
let skipped: unknown[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lines-"));
  path = join(directory, "events.jsonl");
  skipped = [];
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const sourceOf = (range: Partial<LineSource> = {}): LineSource => ({
  path,
  sessionId: "s",
  from: 0,
  to: undefined,
  // One at a time: those that wait for their turn must not take the place of others.
  limit: createLimiter(1),
  log: (_message, fields) => skipped.push(fields),
  ...range,
});

async function read(range: Partial<LineSource> = {}): Promise<StoredLine[]> {
  const lines: StoredLine[] = [];
  for await (const batch of readLines(sourceOf(range))) lines.push(...batch);
  return lines;
}

/** Lines of any length, up to several chunks, some of them ended exactly where a chunk does. */
function randomLines(random: () => number): string[] {
  const lines: string[] = [];
  for (let end = 0; lines.length < 400; ) {
    const n = lines.length;
    const toBoundary = MB - (end % MB);
    const isLong = random() < 0.02;
    const length = random() < 0.05 ? toBoundary - 1 : Math.floor(random() * (isLong ? 3.5 * MB : 20_000));
    const empty = JSON.stringify({ n, pad: "" });
    const line = JSON.stringify({
      n,
      pad: "é".repeat(2).padEnd(Math.max(2, length - empty.length - 2), "x"),
    });
    lines.push(line);
    end += Buffer.byteLength(line) + 1;
  }
  return lines;
}

test.each([1, 2, 3])(
  "every line comes once, in order, with its cursor, from anywhere to anywhere (%i)",
  async (seed) => {
    const random = seeded(seed);
    const lines = randomLines(random);
    await writeFile(path, `${lines.join("\n")}\n{"torn`);
    const expected: StoredLine[] = [];
    let cursor = 0;
    for (const json of lines) {
      cursor += Buffer.byteLength(json) + 1;
      expected.push({ json, cursor, value: JSON.parse(json) });
    }
    expect(await read()).toEqual(expected);
    for (let range = 0; range < 10; range += 1) {
      const first = Math.floor(random() * expected.length);
      const last = first + Math.floor(random() * (expected.length - first));
      const [from, to] = [expected[first]?.cursor as number, expected[last]?.cursor as number];
      expect(await read({ from, to })).toEqual(expected.slice(first + 1, last + 1));
    }
    expect(skipped).toEqual([]);
  },
);

test("a line that is not JSON is skipped and told, wherever it lies; an empty one is not told", async () => {
  const long = `{"pad":"${"x".repeat(1.5 * MB)}"}`;
  await writeFile(path, `${long}\n\0\0\0\n\n${long}\nno JSON\n{"n":1}\n`);
  expect((await read()).map(({ json }) => json.length)).toEqual([long.length, long.length, 7]);
  const offset = 2 * (long.length + 1) + 5;
  expect(skipped).toEqual([
    { sessionId: "s", offset: long.length + 1, bytes: 3 },
    { sessionId: "s", offset, bytes: 7 },
  ]);
});

test("a file that becomes shorter while it is read ends there", async () => {
  const line = `{"pad":"${"x".repeat(MB / 2)}"}\n`;
  await writeFile(path, line.repeat(20));
  let count = 0;
  for await (const batch of readLines(sourceOf({ to: 20 * line.length }))) {
    if (count === 0) await truncate(path, 10 * line.length);
    count += batch.length;
  }
  expect(count).toBe(10);
});

test("a file that is gone half way, or from the start, is a typed error", async () => {
  const line = `{"pad":"${"x".repeat(MB / 2)}"}\n`;
  await writeFile(path, line.repeat(20));
  const reading = (async () => {
    for await (const _batch of readLines(sourceOf())) await rm(path, { force: true });
  })();
  await expect(reading).rejects.toMatchObject({ kind: "not-found" });
  await expect(read({ to: 100 })).rejects.toMatchObject({ kind: "not-found" });
  await writeFile(path, "");
  expect(await read()).toEqual([]);
});

test.skipIf(process.platform !== "linux")(
  "a reader that stops early, or is slow, holds no descriptor",
  async () => {
    const line = `{"pad":"${"x".repeat(MB / 2)}"}\n`;
    await writeFile(path, line.repeat(20));
    const descriptors = () =>
      readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === path;
        } catch {
          return false;
        }
      });
    for await (const _batch of readLines(sourceOf())) {
      await expect.poll(descriptors).toEqual([]);
      break;
    }
    await expect.poll(descriptors).toEqual([]);
  },
);
