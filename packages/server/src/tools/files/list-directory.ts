/** What is in a directory, for a model. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

const DEPTH = 2;
const MAX_ENTRIES = 1000;
/** Named, but not opened: nobody wants to read what is in them. */
const CLOSED: ReadonlySet<string> = new Set(["node_modules", "__pycache__"]);

/** One relative path a line, in order; directories end in `/`. Hidden entries are left out. */
export async function listDirectory(directory: string): Promise<string> {
  const paths: string[] = [];
  await collect(directory, "", 1, paths);
  if (paths.length <= MAX_ENTRIES) return paths.join("\n");
  return `${paths.slice(0, MAX_ENTRIES).join("\n")}\n(There are more than ${MAX_ENTRIES} entries. View a directory below, or use glob.)`;
}

async function collect(directory: string, prefix: string, depth: number, into: string[]): Promise<void> {
  const entries =
    depth === 1 ? await readdir(directory, { withFileTypes: true }) : await readOrNone(directory);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (into.length > MAX_ENTRIES) return;
    if (entry.name.startsWith(".")) continue;
    into.push(prefix + entry.name + (entry.isDirectory() ? "/" : ""));
    if (!entry.isDirectory() || depth === DEPTH || CLOSED.has(entry.name)) continue;
    await collect(join(directory, entry.name), `${prefix}${entry.name}/`, depth + 1, into);
  }
}

/** A directory that may not be read hides what is in it, and nothing else. */
function readOrNone(directory: string): Promise<Dirent[]> {
  return readdir(directory, { withFileTypes: true }).catch(() => []);
}
