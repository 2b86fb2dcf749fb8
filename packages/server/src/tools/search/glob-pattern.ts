/**
 * Glob patterns as regular expressions: `*`, `**`, `?`, `[abc]`, `[!a-z]`, `{a,b}` and `\` before a
 * character that stands for itself. Each `*` takes the first fit and never another, which is enough for
 * globs and keeps hostile patterns from taking exponential time.
 */
import { ToolArgumentError } from "../tool-arguments.ts";

const MAX_ALTERNATIVES = 256;
const SPECIAL = /[\\^$.*+?()[\]{}|/]/g;

export interface GlobOptions {
  /** Whether wildcards match names that begin with a dot. */
  readonly dot: boolean;
  readonly ignoreCase?: boolean;
}

/** Matches whole relative paths with `/`. @throws ToolArgumentError when it has too many alternatives. */
export function globToRegExp(pattern: string, options: GlobOptions): RegExp {
  const groups = { count: 0 };
  const sources = expandBraces(pattern).map((alternative) => pathSource(alternative, options, groups));
  return new RegExp(`^(?:${sources.join("|")})$`, options.ignoreCase ? "i" : "");
}

/** The directories at its start that have no wildcards; "" when there are none. */
export function literalPrefix(pattern: string): string {
  const beforeWildcard = pattern.slice(0, Math.max(0, pattern.search(/[*?[\]{}\\]|$/)));
  return beforeWildcard.slice(0, beforeWildcard.lastIndexOf("/") + 1);
}

function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  while (open.length > 0) {
    if (done.length + open.length > MAX_ALTERNATIVES) {
      throw new ToolArgumentError(`the glob has more than ${MAX_ALTERNATIVES} alternatives`);
    }
    const next = open.pop() as string;
    // The innermost braces with a comma; others stand for themselves.
    const braces = /^((?:\\.|[^\\])*?)\{((?:\\.|[^\\{}])*,(?:\\.|[^\\{}])*)\}(.*)$/s.exec(next);
    if (!braces) done.push(next);
    else open.push(...(braces[2] as string).split(",").map((choice) => braces[1] + choice + braces[3]));
  }
  return done;
}

function pathSource(pattern: string, options: GlobOptions, groups: { count: number }): string {
  const segments = pattern
    .split("/")
    .filter((segment, index, all) => segment !== "**" || all[index - 1] !== "**");
  const name = options.dot ? "[^/]+" : "(?!\\.)[^/]+";
  let source = "";
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === "**") source += isLast ? `(?:${name}/)*${name}` : `(?:${name}/)*`;
    else source += segmentSource(segment, options, groups) + (isLast ? "" : "/");
  }
  return source;
}

function segmentSource(segment: string, options: GlobOptions, groups: { count: number }): string {
  const chunks: string[] = [""];
  for (const [part] of segment.matchAll(/\\[\s\S]|\*+|\?|\[[!^]?\]?[^\]]*\]|[\s\S]/g)) {
    if (part.startsWith("*")) chunks.push("");
    else chunks[chunks.length - 1] += partSource(part);
  }
  const [first = "", ...rest] = chunks;
  const last = rest.pop();
  const hidden = options.dot || !/^[*?[]/.test(segment) ? "" : "(?!\\.)";
  if (last === undefined) return hidden + first;
  const middle = rest.filter(Boolean).map((chunk) => `(?=([^/]*?${chunk}))\\${++groups.count}`);
  return `${hidden}${first}${middle.join("")}[^/]*${last}`;
}

function partSource(part: string): string {
  if (part === "?") return "[^/]";
  if (part.length > 1 && part.startsWith("[")) {
    const [, negated, set = ""] = /^\[([!^]?)(.*)\]$/s.exec(part) ?? [];
    const source = `(?!/)[${negated ? "^" : ""}${set.replace(/[\\[\]^]/g, "\\$&")}]`;
    return isRegExp(source) ? source : part.replace(SPECIAL, "\\$&");
  }
  const character = part.startsWith("\\") && part.length > 1 ? part.slice(1) : part;
  return character.replace(SPECIAL, "\\$&");
}

/** A set such as `[z-a]` is none. */
function isRegExp(source: string): boolean {
  try {
    return Boolean(new RegExp(source));
  } catch {
    return false;
  }
}
