/**
 * Glob patterns: `*`, `**`, `?`, `[abc]`, `[!a-z]`, `{a,b}` and `\` before a character that stands for
 * itself. Matched without regular expressions, in time proportional to pattern × path at most: patterns
 * come from models and repositories, and a backtracking one would stop everybody.
 */
import { ToolArgumentError } from "../tool-arguments.ts";
import { expandBraces } from "./expand-braces.ts";

export const MAX_GLOB_CHARACTERS = 1024;

export interface GlobOptions {
  /** Whether wildcards match names that begin with a dot. */
  readonly dot: boolean;
}

export interface GlobPattern {
  /** Whether the whole relative path, with `/`, is one that the pattern stands for. */
  matches(path: string): boolean;
}

/** @throws ToolArgumentError when it is too long or has too many alternatives. */
export function compileGlob(pattern: string, options: GlobOptions): GlobPattern {
  if (pattern.length > MAX_GLOB_CHARACTERS)
    throw new ToolArgumentError(
      `the glob has ${pattern.length} characters; it may have ${MAX_GLOB_CHARACTERS}`,
    );
  const alternatives = expandBraces(pattern).map(toSegments);
  return {
    matches(path) {
      const names = path.split("/");
      return alternatives.some((segments) => matchesPath(segments, names, options.dot));
    },
  };
}

/** The directories at its start that have no wildcards; "" when there are none. */
export function literalPrefix(pattern: string): string {
  const beforeWildcard = pattern.slice(0, Math.max(0, pattern.search(/[*?[\]{}\\]|$/)));
  return beforeWildcard.slice(0, beforeWildcard.lastIndexOf("/") + 1);
}

const DIRECTORIES = Symbol("any number of directories");
const REST = Symbol("any characters");
const ONE = Symbol("one character");
interface CharacterSet {
  readonly isNegated: boolean;
  /** Pairs of first and last, as UTF-16 code units. */
  readonly ranges: readonly (readonly [number, number])[];
}
type Part = string | typeof REST | typeof ONE | CharacterSet;
interface NamePattern {
  readonly parts: readonly Part[];
  readonly startsWild: boolean;
}
type Segment = NamePattern | typeof DIRECTORIES;

function toSegments(pattern: string): Segment[] {
  return pattern
    .split("/")
    .filter((segment, index, all) => segment !== "**" || all[index - 1] !== "**")
    .map((segment) => (segment === "**" ? DIRECTORIES : toNamePattern(segment)));
}

function toNamePattern(segment: string): NamePattern {
  const parts: Part[] = [];
  for (let at = 0; at < segment.length; at++) {
    const character = segment[at] as string;
    const set = character === "[" ? setAt(segment, at) : undefined;
    if (set) {
      parts.push(set.set);
      at = set.end;
    } else if (character === "*") {
      if (parts.at(-1) !== REST) parts.push(REST);
    } else if (character === "?") parts.push(ONE);
    else if (character === "\\" && at + 1 < segment.length) parts.push(segment[++at] as string);
    else parts.push(character);
  }
  return { parts, startsWild: parts.length > 0 && typeof parts[0] !== "string" };
}

/** The set that begins at a bracket; undefined for a bracket that stands for itself. */
function setAt(segment: string, start: number): { set: CharacterSet; end: number } | undefined {
  const isNegated = segment[start + 1] === "!" || segment[start + 1] === "^";
  const first = start + (isNegated ? 2 : 1);
  // A bracket that comes first is one of the set.
  const end = segment.indexOf("]", first + 1);
  if (end < 0) return undefined;
  const ranges: [number, number][] = [];
  for (let at = first; at < end; at++) {
    const isRange = segment[at + 1] === "-" && at + 2 < end;
    const range: [number, number] = [segment.charCodeAt(at), segment.charCodeAt(isRange ? at + 2 : at)];
    if (range[0] > range[1]) return undefined;
    ranges.push(range);
    if (isRange) at += 2;
  }
  return { set: { isNegated, ranges }, end };
}

/**
 * Goes through both once. `**` takes as few directories as it can; when what follows does not fit, the
 * last one takes one more, and none before it need be asked again: whatever they could reach, it can.
 */
function matchesPath(segments: readonly Segment[], names: readonly string[], dot: boolean): boolean {
  let [segmentAt, nameAt] = [0, 0];
  let lastWild = -1;
  let retakenAt = 0;
  while (nameAt < names.length) {
    const segment = segments[segmentAt];
    const name = names[nameAt] as string;
    // At the end it stands for what is in the directory: at least one name.
    if (segment === DIRECTORIES && segmentAt < segments.length - 1) {
      lastWild = segmentAt++;
      retakenAt = nameAt;
    } else if (segment === DIRECTORIES) return names.slice(nameAt).every((rest) => isAnyName(rest, dot));
    else if (segment !== undefined && matchesName(segment, name, dot)) {
      segmentAt++;
      nameAt++;
    } else if (lastWild >= 0 && isAnyName(names[retakenAt] as string, dot)) {
      segmentAt = lastWild + 1;
      nameAt = ++retakenAt;
    } else return false;
  }
  return segmentAt === segments.length;
}

function isAnyName(name: string, dot: boolean): boolean {
  return name !== "" && (dot || !name.startsWith("."));
}

/** As `matchesPath`, with characters for names. */
function matchesName({ parts, startsWild }: NamePattern, name: string, dot: boolean): boolean {
  if (startsWild && !dot && name.startsWith(".")) return false;
  let [partAt, at] = [0, 0];
  let lastWild = -1;
  let retakenAt = 0;
  while (at < name.length) {
    const part = parts[partAt];
    if (part === REST) {
      if (partAt === parts.length - 1) return true;
      lastWild = partAt++;
      retakenAt = at;
    } else if (part !== undefined && matchesCharacter(part, name, at)) {
      partAt++;
      at++;
    } else if (lastWild >= 0) {
      partAt = lastWild + 1;
      at = ++retakenAt;
    } else return false;
  }
  while (parts[partAt] === REST) partAt++;
  return partAt === parts.length;
}

function matchesCharacter(part: Exclude<Part, typeof REST>, name: string, at: number): boolean {
  if (part === ONE) return true;
  if (typeof part === "string") return name[at] === part;
  const code = name.charCodeAt(at);
  return part.ranges.some(([first, last]) => code >= first && code <= last) !== part.isNegated;
}
