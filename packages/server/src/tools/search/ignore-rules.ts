/** What `.gitignore` files leave out of a search. */
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readRegularFile } from "../regular-file.ts";
import { compileGlob, type GlobPattern } from "./glob-pattern.ts";

interface Rule {
  /** The directory of its file. */
  readonly base: string;
  readonly pattern: GlobPattern;
  readonly negated: boolean;
  readonly directoriesOnly: boolean;
}

/** The rules that hold in a directory, the strongest last. */
export type IgnoreRules = readonly Rule[];

/** The size of one file; a larger one is passed over. */
const MAX_FILE_BYTES = 64 * 1024;
/** The most rules that hold in one directory; more of them are passed over. Each is matched with every path. */
const MAX_RULES = 2000;

/** Whether a path below the rules' directories is ignored. Its own directories are looked at by the caller. */
export function isIgnored(path: string, isDirectory: boolean, rules: IgnoreRules): boolean {
  for (let index = rules.length - 1; index >= 0; index--) {
    const rule = rules[index] as Rule;
    if (rule.directoriesOnly && !isDirectory) continue;
    if (rule.pattern.matches(path.slice(rule.base.length + (rule.base.endsWith("/") ? 0 : 1))))
      return !rule.negated;
  }
  return false;
}

/** The rules from the root of the repository down to a directory's parent; none when it is ignored itself. */
export async function rulesAbove(directory: string): Promise<IgnoreRules> {
  const above: string[] = [];
  for (let at = directory; !(await exists(join(at, ".git"))); at = dirname(at)) {
    if (dirname(at) === at) return [];
    above.unshift(dirname(at));
  }
  let rules: IgnoreRules = [];
  for (const parent of above) rules = await withRulesOf(parent, rules);
  const onTheWay = [...above.slice(1), directory];
  return onTheWay.some((path) => isIgnored(path, true, rules)) ? [] : rules;
}

/** The rules given, and behind them those of a directory's own file. */
export async function withRulesOf(directory: string, rules: IgnoreRules): Promise<IgnoreRules> {
  const bytes = await readRegularFile(join(directory, ".gitignore"), MAX_FILE_BYTES).catch(() => undefined);
  if (bytes === undefined) return rules;
  const lines = bytes.toString("utf8").split(/\r?\n/);
  const own = lines.flatMap((line) => parseRule(line, directory) ?? []);
  return own.length > 0 ? [...rules, ...own].slice(0, MAX_RULES) : rules;
}

function parseRule(line: string, base: string): Rule | undefined {
  const trimmed = line.trimEnd();
  // A space that is escaped belongs to the name.
  const text = trimmed.endsWith("\\") && trimmed.length < line.length ? `${trimmed} ` : trimmed;
  if (text === "" || text.startsWith("#")) return undefined;
  const negated = text.startsWith("!");
  const directoriesOnly = text.endsWith("/");
  const path = text.slice(negated ? 1 : 0, directoriesOnly ? -1 : undefined);
  const anchored = path.includes("/") ? path.replace(/^\//, "") : `**/${path}`;
  try {
    return { base, pattern: compileGlob(anchored, { dot: true }), negated, directoriesOnly };
  } catch {
    return undefined;
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
