/** Goes through the files of a directory, in the order of their paths. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createBreather } from "../breather.ts";
import { isIgnored, rulesAbove, withRulesOf } from "./ignore-rules.ts";

export interface WalkOptions {
  readonly signal: AbortSignal;
  /** Whether to look at an entry of this relative path, which is hidden. Others always are. */
  readonly includeHidden?: (path: string) => boolean;
  /** Whether links to files are files. Links to directories are never followed: they may lead in circles. */
  readonly links: boolean;
  /** A folder that is not looked into from above. Absolute, without links. */
  readonly hidden?: string | undefined;
}

/** Never looked into unless the walk begins there. */
const SKIPPED: ReadonlySet<string> = new Set([".git", "node_modules"]);

/** Relative paths with `/`. Directories that cannot be read are left out. @throws the signal's reason. */
export async function* walk(root: string, options: WalkOptions): AsyncGenerator<string> {
  yield* walkDirectory(root, "", await rulesAbove(root), { ...options, breathe: createBreather() });
}

async function* walkDirectory(
  directory: string,
  prefix: string,
  above: Awaited<ReturnType<typeof rulesAbove>>,
  options: WalkOptions & { readonly breathe: () => Promise<void> | undefined },
): AsyncGenerator<string> {
  options.signal.throwIfAborted();
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const rules = entries.some((entry) => entry.name === ".gitignore")
    ? await withRulesOf(directory, above)
    : above;
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const pause = options.breathe();
    if (pause) await pause;
    const path = prefix + entry.name;
    const full = join(directory, entry.name);
    if (SKIPPED.has(entry.name) || full === options.hidden) continue;
    if (entry.name.startsWith(".") && !options.includeHidden?.(path)) continue;
    if (isIgnored(full, entry.isDirectory(), rules)) continue;
    if (entry.isDirectory()) yield* walkDirectory(full, `${path}/`, rules, options);
    else if (entry.isFile() || (options.links && entry.isSymbolicLink())) yield path;
  }
}
