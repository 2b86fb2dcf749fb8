/** Opens files so that what is read or written is what permission was asked for. */
import { constants } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { basename } from "node:path";

/**
 * Opens a regular file by its canonical path. Never follows a link, and never waits for a named pipe.
 * @throws the system's error; or an error when it is no regular file, or its path leads elsewhere by now.
 */
export async function openFile(canonical: string, access: "read" | "write"): Promise<FileHandle> {
  const mode = access === "read" ? constants.O_RDONLY : constants.O_RDWR;
  const handle = await open(canonical, mode | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    await assertSame(handle, canonical);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A directory on the way may have become a link between the look and the opening. */
export async function assertSame(handle: FileHandle, canonical: string): Promise<void> {
  const [opened, named, path] = await Promise.all([handle.stat(), stat(canonical), realpath(canonical)]);
  if (!opened.isFile()) throw new Error(`${basename(canonical)} is not a regular file.`);
  if (path !== canonical || opened.ino !== named.ino || opened.dev !== named.dev) {
    throw new Error(`${basename(canonical)} was moved or replaced while it was opened.`);
  }
}
