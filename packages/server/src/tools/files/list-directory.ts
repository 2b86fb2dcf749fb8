/** What is in a directory, for a model. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

const DEPTH = 2;
const MAX_ENTRIES = 1000;
/** Named, but not opened: nobody wants to read what is in them. */
const CLOSED: ReadonlySet<string> = new Set(["node_modules", "__pycache__"]);

/**
 * One relative path a line, in order; directories end in `/`. Hidden entries are left out.
 * @param hidden a folder that is left out. Absolute, without links.
 */
export async function listDirectory(directory: string, hidden?: string): Promise<string> {
  const paths: string[] = [];
  await collect({ directory, prefix: "", depth: 1 }, hidden, paths);
  if (paths.length <= MAX_ENTRIES) return paths.join("\n");
  return `${paths.slice(0, MAX_ENTRIES).join("\n")}\n(There are more than ${MAX_ENTRIES} entries. View a directory below, or use glob.)`;
}

interface Place {
  readonly directory: string;
  readonly prefix: string;
  readonly depth: number;
}

async function collect(
  { directory, prefix, depth }: Place,
  hidden: string | undefined,
  into: string[],
): Promise<void> {
  const entries =
    depth === 1 ? await readdir(directory, { withFileTypes: true }) : await readOrNone(directory);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (into.length > MAX_ENTRIES) return;
    const path = join(directory, entry.name);
    if (entry.name.startsWith(".") || path === hidden) continue;
    into.push(prefix + entry.name + (entry.isDirectory() ? "/" : ""));
    if (!entry.isDirectory() || depth === DEPTH || CLOSED.has(entry.name)) continue;
    const below = { directory: path, prefix: `${prefix}${entry.name}/`, depth: depth + 1 };
    await collect(below, hidden, into);
  }
}

/** A directory that may not be read hides what is in it, and nothing else. */
function readOrNone(directory: string): Promise<Dirent[]> {
  return readdir(directory, { withFileTypes: true }).catch(() => []);
}
