/** What `.gitignore` files leave out of a search. */
import { readFile, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { globToRegExp } from "./glob-pattern.ts";

interface Rule {
  /** The directory of its file. */
  readonly base: string;
  readonly pattern: RegExp;
  readonly negated: boolean;
  readonly directoriesOnly: boolean;
}

/** The rules that hold in a directory, the strongest last. */
export type IgnoreRules = readonly Rule[];

const MAX_FILE_BYTES = 256 * 1024;

/** Whether a path below the rules' directories is ignored. Its own directories are looked at by the caller. */
export function isIgnored(path: string, isDirectory: boolean, rules: IgnoreRules): boolean {
  for (let index = rules.length - 1; index >= 0; index--) {
    const rule = rules[index] as Rule;
    if (rule.directoriesOnly && !isDirectory) continue;
    if (rule.pattern.test(relative(rule.base, path))) return !rule.negated;
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
  const path = join(directory, ".gitignore");
  const text = await readFile(path, "utf8").catch(() => "");
  if (text === "" || text.length > MAX_FILE_BYTES) return rules;
  const own = text.split(/\r?\n/).flatMap((line) => parseRule(line, directory) ?? []);
  return own.length > 0 ? [...rules, ...own] : rules;
}

function parseRule(line: string, base: string): Rule | undefined {
  const text = line.replace(/(?<!\\)\s+$/, "");
  if (text === "" || text.startsWith("#")) return undefined;
  const negated = text.startsWith("!");
  const directoriesOnly = text.endsWith("/");
  const path = text.slice(negated ? 1 : 0, directoriesOnly ? -1 : undefined);
  const anchored = path.includes("/") ? path.replace(/^\//, "") : `**/${path}`;
  try {
    return { base, pattern: globToRegExp(anchored, { dot: true }), negated, directoriesOnly };
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
