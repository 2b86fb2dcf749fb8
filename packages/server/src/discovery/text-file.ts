/** Reads files that people keep for agents. Nobody vouches for them: links, pipes and huge files occur. */
import { constants, type Dirent } from "node:fs";
import { lstat, open, readdir, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";

export type TextFile =
  | {
      readonly kind: "text";
      /** Without symbolic links. */
      readonly path: string;
      readonly text: string;
      /** Longer than was asked for: the text ends at a line before the limit. */
      readonly isCut: boolean;
    }
  | { readonly kind: "missing" }
  | { readonly kind: "refused"; readonly why: string };

export interface ReadTextOptions {
  readonly maxBytes: number;
  /** Links may not lead out of this directory; undefined lets them lead anywhere. */
  readonly inside?: string;
}

/** Never rejects. */
export async function readTextFile(path: string, options: ReadTextOptions): Promise<TextFile> {
  try {
    const real = await realpath(path);
    if (options.inside !== undefined && !isInside(real, await realpath(options.inside)))
      return { kind: "refused", why: `it is a link that leads out of ${options.inside}` };
    // Without O_NONBLOCK a pipe would hold a thread of the pool for ever.
    const file = await open(real, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      if (!(await file.stat()).isFile()) return { kind: "refused", why: "it is not a regular file" };
      const buffer = Buffer.alloc(options.maxBytes + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      if (buffer.subarray(0, length).includes(0)) return { kind: "refused", why: "it is not text" };
      return { kind: "text", path: real, ...cutAtLine(buffer.subarray(0, length), options.maxBytes) };
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "missing" };
    return { kind: "refused", why: `it cannot be read (${code ?? "unknown error"})` };
  }
}

function cutAtLine(bytes: Buffer, maxBytes: number): { text: string; isCut: boolean } {
  if (bytes.length <= maxBytes) return { text: bytes.toString("utf8"), isCut: false };
  const end = bytes.lastIndexOf(10, maxBytes - 1);
  const text = bytes.subarray(0, end < 0 ? maxBytes : end + 1).toString("utf8");
  // A line longer than the limit may end inside a character.
  return { text: end < 0 ? text.replace(/\uFFFD+$/, "") : text, isCut: true };
}

export interface FindFilesOptions {
  readonly accepts: (name: string) => boolean;
  readonly maxFiles: number;
  /** Levels below the directory; 0 for the directory alone. */
  readonly maxDepth: number;
  /** Is given the stamps of all directories that were looked at, and of the files. */
  readonly stamps: Map<string, string>;
}

/**
 * Files by name in a directory and those below it, relative to it, with `/`, sorted; directories that
 * are links are not followed. Never rejects.
 */
export async function findFiles(directory: string, options: FindFilesOptions): Promise<string[]> {
  const files: string[] = [];
  const directories = [directory];
  const depths = [0];
  for (let at = 0; at < directories.length && files.length < options.maxFiles; at += 1) {
    const current = directories[at] as string;
    const depth = depths[at] as number;
    // Before it is read: what changes meanwhile is another stamp than this one.
    options.stamps.set(current, await stampOf(current));
    const entries = await readdir(current, { withFileTypes: true }).catch((): Dirent[] => []);
    for (const entry of entries) {
      const path = join(current, entry.name);
      if (entry.isDirectory() && depth < options.maxDepth && directories.length < options.maxFiles) {
        directories.push(path);
        depths.push(depth + 1);
      } else if (!entry.isDirectory() && options.accepts(entry.name)) {
        files.push(relative(directory, path).split(sep).join("/"));
      }
    }
  }
  const found = files.sort().slice(0, options.maxFiles);
  for (const file of found) {
    const path = join(directory, file);
    options.stamps.set(path, await stampOf(path));
  }
  return found;
}

/** A text that changes when somebody changes the file, or the entries of the directory; "" when there is none. */
export async function stampOf(path: string): Promise<string> {
  try {
    const link = await lstat(path);
    const found = link.isSymbolicLink() ? await lstat(await realpath(path)) : link;
    return `${link.ino}:${found.ino}:${found.mtimeMs}:${found.ctimeMs}:${found.size}`;
  } catch {
    return "";
  }
}

/** Both without symbolic links. */
function isInside(path: string, directory: string): boolean {
  const root = directory.endsWith(sep) ? directory : directory + sep;
  return path === directory || path.startsWith(root);
}
