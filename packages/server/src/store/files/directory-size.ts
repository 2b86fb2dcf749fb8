import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "./errors.ts";

/** Bytes of all files below a directory; 0 when there is none. What goes away meanwhile does not count. */
export async function directorySize(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(whenMissing([]));
  let bytes = 0;
  // One after the other: this must not take the disk from those who work.
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) bytes += await directorySize(path);
    else if (entry.isFile()) bytes += (await lstat(path).catch(whenMissing({ size: 0 }))).size;
  }
  return bytes;
}

function whenMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (isMissing(error)) return value;
    throw error;
  };
}
