import { mkdir, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repairTail } from "./tail-repair.ts";

/** A small seeded generator (mulberry32), so that a failing case can be run again. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function isObject(text: string): boolean {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

describe("repairTail", () => {
  let root: string;
  let count = 0;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "tail-"));
  });
  afterAll(async () => {
    await rm(root, { recursive: true });
  });

  /** Repairs a log with these bytes; what the report says must be what was set aside. */
  async function repair(bytes: Buffer | string) {
    const directory = join(root, `${count++}`);
    await mkdir(directory);
    const path = join(directory, "events.jsonl");
    await writeFile(path, bytes);
    const outcome = await repairTail(path);
    const after = await readFile(path);
    const dropped = (await readdir(directory)).filter((name) => name !== "events.jsonl");
    const aside = dropped[0] ? await readFile(join(directory, dropped[0])) : Buffer.alloc(0);
    expect(dropped.length).toBeLessThanOrEqual(1);
    expect(after.length).toBe(outcome.end);
    return { ...outcome, after, aside };
  }

  it("a good log stays as it is", async () => {
    const { after, repaired } = await repair('{"n":1}\n{"n":2}\n');
    expect({ after: String(after), repaired }).toEqual({
      after: '{"n":1}\n{"n":2}\n',
      repaired: undefined,
    });
    expect((await repair("")).end).toBe(0);
  });

  it("says what it cut, and sets it aside", async () => {
    const cases: [string, string, string, number][] = [
      ['{"n":1}\n{"n"', "torn-line", '{"n"', 4],
      ['{"n":1}\n{"n":\n', "invalid-json", '{"n":\n', 6],
      ['{"n":1}\n\0\0\0', "nul-bytes", "", 3],
      ['{"n":1}\n{"n":2\0\0', "nul-bytes", '{"n":2', 8],
      ['{"n":1}\n{"n":\0\0}\n', "nul-bytes", '{"n":\0\0}\n', 9],
      ['{"n":1}\n12', "torn-line", "12", 2],
      ['{"n":1}\n}{\n}{\n', "invalid-json", "}{\n}{\n", 6],
    ];
    for (const [text, reason, aside, droppedBytes] of cases) {
      const outcome = await repair(text);
      expect(String(outcome.after)).toBe('{"n":1}\n');
      expect({ ...outcome.repaired, aside: String(outcome.aside) }).toEqual({
        reason,
        droppedBytes,
        aside,
      });
    }
    expect(String((await repair("\0".repeat(50_000))).after)).toBe("");
  });

  it("keeps a whole last line that only lacks its newline", async () => {
    const plain = await repair('{"n":1}\n{"n":2}');
    expect({ text: String(plain.after), repaired: plain.repaired }).toEqual({
      text: '{"n":1}\n{"n":2}\n',
      repaired: undefined,
    });
    const padded = await repair('{"n":1}\n{"n":2}\0\0\0');
    expect(String(padded.after)).toBe('{"n":1}\n{"n":2}\n');
    expect(padded.repaired).toEqual({ droppedBytes: 3, reason: "nul-bytes" });
  });

  it("mends a last line of several megabytes, whole or torn", async () => {
    const large = JSON.stringify({ text: "é".repeat(2_000_000) });
    expect((await repair(`{"n":1}\n${large}\n`)).repaired).toBeUndefined();
    const torn = await repair(`{"n":1}\n${large.slice(0, -1)}`);
    expect(String(torn.after)).toBe('{"n":1}\n');
    expect(torn.aside.length).toBe(Buffer.byteLength(large) - 1);
  });

  it("reads the tail alone: a sparse log of a gigabyte with one good line at its end", async () => {
    const path = join(root, "large.jsonl");
    await writeFile(path, "");
    await truncate(path, 1024 ** 3);
    const file = await open(path, "a");
    await file.write('\n{"n":1}\n{"n":');
    await file.close();
    expect(await repairTail(path)).toEqual({
      end: 1024 ** 3 + 9,
      repaired: { droppedBytes: 5, reason: "torn-line" },
    });
  });

  it("whatever a crash does to the tail, all lines before the damage stay, and nothing is lost", async () => {
    const random = createRandom(2217);
    for (let round = 0; round < 400; round++) {
      const lines = Array.from({ length: 1 + random(8) }, (_, n) =>
        JSON.stringify({ n, text: 'aé🚀\\"'.repeat(random(round % 10 === 0 ? 9_000 : 40)) }),
      );
      const whole = Buffer.from(`${lines.join("\n")}\n`);
      const at = random(whole.length + 1);
      const damaged = damage(whole, at, random);
      const outcome = await repair(damaged);
      const context = `round ${round}`;
      const kept = String(outcome.after).split("\n").slice(0, -1);
      const intact = whole.subarray(0, at).toString("latin1").split("\n").length - 1;
      expect(kept.slice(0, intact), context).toEqual(lines.slice(0, intact));
      if (kept.length > 0) expect(isObject(kept.at(-1)!), context).toBe(true);
      if (outcome.repaired) {
        const dataEnd = lastData(damaged);
        const nulBytes = damaged.length - dataEnd;
        expect(outcome.repaired.droppedBytes, context).toBe(outcome.aside.length + nulBytes);
        const cut = damaged.subarray(dataEnd - outcome.aside.length, dataEnd);
        expect(outcome.aside.equals(cut), context).toBe(true);
      } else {
        expect([damaged.length, damaged.length + 1], context).toContain(outcome.end);
      }
    }
  }, 30_000);
});

/** Cuts at `at`, then leaves it, pads it with NUL bytes, or puts garbage there. */
function damage(whole: Buffer, at: number, random: (below: number) => number): Buffer {
  const head = whole.subarray(0, at);
  const kind = random(4);
  if (kind === 0) return head;
  if (kind === 1) return Buffer.concat([head, Buffer.alloc(1 + random(9_000))]);
  const garbage = Buffer.from(Array.from({ length: 1 + random(300) }, () => random(256)));
  if (kind === 2) return Buffer.concat([head, garbage]);
  const rest = Buffer.from(whole.subarray(at));
  rest.fill(0, 0, Math.min(rest.length, 1 + random(4_096)));
  return Buffer.concat([head, rest]);
}

function lastData(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}
