import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readUpTo } from "./read-up-to.ts";

test("a file is read up to a bound, however large it is", async () => {
  const directory = await mkdtemp(join(tmpdir(), "read-"));
  const path = join(directory, "file");
  await writeFile(path, "0123456789");
  const handle = await open(path);
  expect(Buffer.from(await readUpTo(handle, 4)).toString()).toBe("0123");
  expect(Buffer.from(await readUpTo(handle, 100)).toString()).toBe("0123456789");
  await handle.close();
  await rm(directory, { recursive: true });
});
