/** What a command may run, as far as its text tells. */
import type { PossibleCommands } from "../possible-commands.ts";
import type { CommandSummary } from "./command-line.ts";
import { splitCommand } from "./split-command.ts";

/** Takes time in proportion to the text. Never throws. */
export function possibleCommands(text: string, summary: CommandSummary): PossibleCommands {
  if (summary.isPlain) {
    return { lines: summary.steps.map(({ words }) => words), areExact: true, hidesMore: false };
  }
  // Any command may be one of a text that may hide any.
  if (summary.hidesCommands) return { lines: [], areExact: false, hidesMore: true };
  const written = writtenWords(text);
  return { lines: [wordsOf(text)], areExact: false, hidesMore: false, ...(written ? { written } : {}) };
}

function writtenWords(text: string): string[] | undefined {
  const { segments, isPlain } = splitCommand(text);
  const [segment, ...more] = segments;
  if (!isPlain || !segment || more.length > 0 || segment.redirections.length > 0) return undefined;
  if (segment.words.some((word) => word.wildcards.length > 0)) return undefined;
  return segment.words.map((word) => word.text);
}

/** All words, as if quotes and backslashes were not there; those with a path also by the name at its end. */
function wordsOf(text: string): string[] {
  const bare = text.replace(/\\\n|["'\\]/g, "");
  return bare
    .split(/[\s;&|<>(){}$`=,!]+/)
    .filter((word) => word !== "")
    .map((word) => word.slice(word.lastIndexOf("/") + 1) || word);
}
