/** `{a,b}` in globs: every alternative that a pattern stands for, written out. */
import { ToolArgumentError } from "../tool-arguments.ts";

export const MAX_ALTERNATIVES = 256;
/** The length of all alternatives together. */
const MAX_CHARACTERS = 16 * 1024;

/** Braces without a comma or a partner stand for themselves. @throws ToolArgumentError when there are too many. */
export function expandBraces(pattern: string): readonly string[] {
  if (!pattern.includes("{")) return [pattern];
  const groups = groupsIn(pattern);
  const open: Group[] = [{ choices: [], current: [""] }];
  for (let at = 0; at < pattern.length; at++) {
    const group = open.at(-1) as Group;
    const role = groups.get(at);
    if (role === "open") open.push({ choices: [], current: [""] });
    else if (role === "comma") {
      group.choices.push(...group.current);
      group.current = [""];
    } else if (role === "close") {
      open.pop();
      const outer = open.at(-1) as Group;
      outer.current = product(outer.current, [...group.choices, ...group.current]);
    } else {
      const end = endOfText(pattern, at, groups);
      const text = pattern.slice(at, end);
      group.current = group.current.map((before) => before + text);
      at = end - 1;
    }
  }
  return (open[0] as Group).current;
}

interface Group {
  /** Those that are whole, and the one that grows, in all the ways that it may read. */
  readonly choices: string[];
  current: string[];
}

type Role = "open" | "comma" | "close";

/** What braces and commas are, by their index; those that stand for themselves are left out. */
function groupsIn(pattern: string): ReadonlyMap<number, Role> {
  const roles = new Map<number, Role>();
  const open: { readonly at: number; readonly commas: number[] }[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === "\\") at++;
    else if (character === "{") open.push({ at, commas: [] });
    else if (character === ",") open.at(-1)?.commas.push(at);
    else if (character === "}") {
      const group = open.pop();
      if (!group || group.commas.length === 0) continue;
      roles.set(group.at, "open").set(at, "close");
      for (const comma of group.commas) roles.set(comma, "comma");
    }
  }
  return roles;
}

function endOfText(pattern: string, from: number, groups: ReadonlyMap<number, Role>): number {
  let at = from;
  while (at < pattern.length && !groups.has(at)) at++;
  return at;
}

function product(befores: readonly string[], choices: readonly string[]): string[] {
  const count = befores.length * choices.length;
  if (count > MAX_ALTERNATIVES)
    throw new ToolArgumentError(`the glob has more than ${MAX_ALTERNATIVES} alternatives`);
  const lengthOf = (texts: readonly string[]) => texts.reduce((sum, text) => sum + text.length, 0);
  if (lengthOf(befores) * choices.length + lengthOf(choices) * befores.length > MAX_CHARACTERS)
    throw new ToolArgumentError(
      `the glob has more than ${MAX_CHARACTERS} characters in all its alternatives`,
    );
  return befores.flatMap((before) => choices.map((choice) => before + choice));
}
