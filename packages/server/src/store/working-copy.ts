/**
 * A session's files in a directory of this machine, as every store has them for the sessions of its node. What is in it
 * may be a tenant's doing: links, pipes and devices among it.
 */
import { randomBytes } from "node:crypto";
import { constants, type Dirent } from "node:fs";
import { cp, lstat, mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readUpTo } from "./read-up-to.ts";
import type { FileEntry } from "./session-files.ts";

export async function listFolder(directory: string, folder: string): Promise<FileEntry[]> {
  const at = join(directory, assertName(folder));
  const entries = await readdir(at, { withFileTypes: true }).catch(ifMissing<Dirent[]>([]));
  const files = entries.filter((entry) => entry.isFile() && !isDraft(entry.name));
  const found = await Promise.all(
    files.map(async ({ name }) => ({ name, stats: await lstat(join(at, name)).catch(ifMissing(undefined)) })),
  );
  return found.flatMap(({ name, stats }) =>
    stats ? [{ name, bytes: stats.size, modifiedMs: stats.mtimeMs }] : [],
  );
}

/** Undefined when there is no regular file of that name, or a larger one. Never waits for a pipe. */
export async function readName(
  directory: string,
  name: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const { O_RDONLY, O_NONBLOCK = 0 } = constants;
  const handle = await open(join(directory, assertName(name)), O_RDONLY | O_NONBLOCK).catch(
    ifMissing(undefined),
  );
  if (!handle) return undefined;
  try {
    const stats = await handle.stat();
    return stats.isFile() && stats.size <= maxBytes
      ? await readUpTo(handle, stats.size || UNTOLD_BYTES)
      : undefined;
  } finally {
    await handle.close();
  }
}

/** How much is read of files that report no size and have content all the same, such as those of /proc. */
const UNTOLD_BYTES = 64 * 1024;

/**
 * Whole or not at all, whoever reads meanwhile. Takes the place of a file or a link.
 * @throws the system's error; EINVAL for what is neither.
 */
export async function putName(directory: string, name: string, content: Uint8Array | string): Promise<void> {
  const path = join(directory, assertName(name));
  const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const found = await lstat(path).catch(ifMissing(undefined));
  if (found && !found.isFile() && !found.isSymbolicLink())
    throw Object.assign(new Error(`${path} is no regular file`), { code: "EINVAL" });
  try {
    await writeFile(draft, content, { mode: 0o600, flag: "wx" });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}

export function removeName(directory: string, name: string): Promise<void> {
  return rm(join(directory, assertName(name)), { force: true });
}

/** Files and folders of one directory into another; those that are missing are left out. */
export async function copyNames(source: string, target: string, names: readonly string[]): Promise<void> {
  const options = { recursive: true, verbatimSymlinks: true, filter: canBeCopied };
  for (const name of names)
    await cp(join(source, assertName(name)), join(target, name), options).catch(ifMissing(undefined));
}

const DRAFT = /\.[0-9a-f]{12}\.tmp$/;

/** Whether a file is what `putName` has under way. */
export function isDraft(name: string): boolean {
  return DRAFT.test(name);
}

/** Pipes, sockets and devices hold nothing to copy. */
async function canBeCopied(path: string): Promise<boolean> {
  const found = await lstat(path).catch(ifMissing(undefined));
  return found === undefined || found.isFile() || found.isDirectory() || found.isSymbolicLink();
}

/** Names are the server's own; one that leads out of the directory is a mistake in it. */
function assertName(name: string): string {
  if (name !== "" && name.split("/").every((part) => part !== "" && part !== "." && part !== ".."))
    return name;
  throw new TypeError(`expected a name within a session's files, got ${JSON.stringify(name)}`);
}

function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return value;
    throw error;
  };
}
