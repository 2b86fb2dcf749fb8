import { mkdir, mkdtemp, readFile, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { FileTarget, type LineTarget, type Written } from "./line-target.ts";
import { LineWriter, type LineWriterOptions } from "./line-writer.ts";

async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "rightseat-lines-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

function writerTo(target: LineTarget, options: Partial<LineWriterOptions> = {}): LineWriter {
  return new LineWriter({
    target,
    maxWaitingCharacters: 1_000,
    describeLost: ({ lines }) => `lost ${lines}\n`,
    retryMs: 5,
    ...options,
  });
}

/** A target whose writes the test ends. */
class HeldTarget implements LineTarget {
  readonly taken: string[] = [];
  readonly stuck = false;
  #release: (() => void) | undefined;

  write(lines: readonly string[]): Promise<Written> {
    return new Promise((resolve) => {
      this.#release = () => {
        this.taken.push(...lines);
        resolve({ lines: lines.length });
      };
    });
  }

  release(): void {
    this.#release?.();
  }

  reopen(): void {}

  close(): void {}
}

describe("lines on their way to a file", () => {
  test("a full disk keeps them waiting, and they are written in order when there is room", async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, "lines");
    await symlink("/dev/full", path);
    const troubles: string[] = [];
    const writer = writerTo(new FileTarget({ path, lookEveryMs: 0 }), {
      onTrouble: (why) => troubles.push(why),
    });
    writer.write("one\n");
    writer.write("two\n");
    await expect.poll(() => writer.trouble(0)).toMatch(/ENOSPC/);
    await unlink(path);
    writer.write("three\n");
    await expect.poll(() => writer.trouble(0)).toBeUndefined();
    expect(await readFile(path, "utf8")).toBe("one\ntwo\nthree\n");
    expect(troubles).toHaveLength(1);
    expect(writer.lost).toBe(0);
    await writer.close(1_000);
  });

  test("those beyond the bound are lost, counted, and told of once where they are missing", async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, "lines");
    await symlink("/dev/full", path);
    const writer = writerTo(new FileTarget({ path, lookEveryMs: 0 }), { maxWaitingCharacters: 12 });
    for (const line of ["a", "b", "c", "d", "e"]) writer.write(`---${line}\n`);
    await expect.poll(() => writer.trouble(0)).toMatch(/ENOSPC/);
    await unlink(path);
    await expect.poll(() => readFile(path, "utf8").catch(() => "")).toBe("---a\n---b\nlost 3\n");
    writer.write("after\n");
    await writer.close(1_000);
    expect(await readFile(path, "utf8")).toBe("---a\n---b\nlost 3\nafter\n");
    expect(writer.lost).toBe(3);
  });

  test("a file that was moved away or removed, with its folder, is made again", async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, "logs", "lines");
    const writer = writerTo(new FileTarget({ path, lookEveryMs: 0 }));
    writer.write("one\n");
    await expect.poll(() => readFile(path, "utf8").catch(() => "")).toBe("one\n");
    await rename(path, `${path}.1`);
    writer.write("two\n");
    await expect.poll(() => readFile(path, "utf8").catch(() => "")).toBe("two\n");
    await rm(join(directory, "logs"), { recursive: true });
    writer.write("three\n");
    await expect.poll(() => readFile(path, "utf8").catch(() => "")).toBe("three\n");
    await writer.close(1_000);
  });

  test("a file that is looked for seldom is opened anew when it is asked for", async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, "lines");
    const writer = writerTo(new FileTarget({ path, lookEveryMs: 3_600_000 }));
    writer.write("one\n");
    await expect.poll(() => readFile(path, "utf8").catch(() => "")).toBe("one\n");
    await rename(path, `${path}.1`);
    writer.write("two\n");
    await expect.poll(() => readFile(`${path}.1`, "utf8")).toBe("one\ntwo\n");
    writer.reopen();
    writer.write("three\n");
    await writer.close(1_000);
    expect(await readFile(path, "utf8")).toBe("three\n");
  });

  test("what waits is tried once more at the end, which does not wait for a file that takes nothing", async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, "lines");
    await mkdir(path);
    const writer = writerTo(new FileTarget({ path, lookEveryMs: 0 }), { retryMs: 3_600_000 });
    writer.write("one\n");
    await expect.poll(() => writer.trouble(0)).toMatch(/EISDIR/);
    await rm(path, { recursive: true });
    await writeFile(path, "");
    expect(await writer.close(10_000)).toBe(true);
    expect(await readFile(path, "utf8")).toBe("one\n");
  });
});

test("lines that nobody reads wait up to the bound, and are told of when they are read", async () => {
  const target = new HeldTarget();
  const writer = writerTo(target, { maxWaitingCharacters: 12 });
  for (const line of ["a", "b", "c", "d"]) writer.write(`---${line}\n`);
  await expect.poll(() => writer.trouble(1)).toBe("what was written is not read");
  await expect
    .poll(() => {
      target.release();
      return target.taken;
    })
    .toEqual(["---a\n", "---b\n", "lost 2\n"]);
  expect(writer.trouble(0)).toBeUndefined();
});
