/**
 * What a command may run, for rules that deny it. Where everything is understood this is read off its
 * segments; otherwise any word of the text may be a command, and what hides its words may hide any.
 */
import type { PermissionAsk } from "./tool.ts";

export interface PossibleCommands {
  /** Words of commands: of each one that runs, or of all of the text where any word may begin one. */
  readonly lines: readonly (readonly string[])[];
  /** Whether the lines are exactly what runs. Otherwise words that belong to a command may lie anywhere. */
  readonly areExact: boolean;
  /** Whether something may run that is not to be seen in the text. */
  readonly hidesMore: boolean;
  /** All words of a line that is one command, and stands for nothing but itself, whatever it does. */
  readonly written?: readonly string[];
  /** All that runs is known, and none of it opens a connection or runs what a project holds. */
  readonly staysLocal?: boolean;
}

const noted = new WeakMap<PermissionAsk, PossibleCommands>();

/** The question, with what its command may run. A copy of the question does not have it. */
export function withPossibleCommands(ask: PermissionAsk, possible: PossibleCommands): PermissionAsk {
  noted.set(ask, possible);
  return ask;
}

/** The commands that the command of a permission question may run; without notes, those of its segments. */
export function possibleCommandsOf(ask: PermissionAsk): PossibleCommands {
  const segments = Array.isArray(ask.commandSegments) ? ask.commandSegments : [];
  const texts = segments.map(({ fullCommandText }: { fullCommandText: string }) => fullCommandText);
  const hidesMore = ask.canOfferSessionApproval !== true;
  return noted.get(ask) ?? { lines: texts.map(toWords), areExact: !hidesMore, hidesMore };
}

/**
 * Whether a command that begins with these words may be among them. Options count wherever they are, short
 * and long ones that begin with the same letter alike.
 */
export function mayBegin(possible: PossibleCommands, wanted: readonly string[]): boolean {
  if (possible.hidesMore) return true;
  const names = wanted.filter((word) => !word.startsWith("-"));
  const options = wanted.filter((word) => word.startsWith("-"));
  return possible.lines.some(
    (line) =>
      (possible.areExact ? isAhead(line, names) : isAmong(line, names)) &&
      options.every((option) => hasOption(line, option)),
  );
}

/** In an exact line, only options may stand between. */
function isAhead(line: readonly string[], names: readonly string[]): boolean {
  const words = line.filter((word) => !word.startsWith("-"));
  return names.length > 0 && names.every((name, index) => words[index] === baseName(name, index));
}

function isAmong(line: readonly string[], names: readonly string[]): boolean {
  let found = 0;
  for (const word of line) {
    if (found < names.length && word === baseName(names[found] as string, found)) found += 1;
  }
  return names.length > 0 && found === names.length;
}

function hasOption(line: readonly string[], wanted: string): boolean {
  const [name = ""] = wanted.split("=");
  if (name.startsWith("--")) {
    return line.some((word) => {
      const [long = ""] = word.split("=");
      if (word.startsWith("--")) return long.length > 2 && (name.startsWith(long) || long.startsWith(name));
      return isShort(word) && word.includes(name.charAt(2));
    });
  }
  return [...name.slice(1)].every((letter) =>
    line.some((word) =>
      isShort(word) ? word.includes(letter) : word.startsWith(`--${letter.toLowerCase()}`),
    ),
  );
}

function isShort(word: string): boolean {
  return /^-[^-]/.test(word);
}

/** A program is called by its path too. */
function baseName(word: string, index: number): string {
  return index === 0 ? word.slice(word.lastIndexOf("/") + 1) : word;
}

function toWords(text: string): string[] {
  const [program = "", ...rest] = text.trim().split(/\s+/);
  return [baseName(program, 0), ...rest];
}
