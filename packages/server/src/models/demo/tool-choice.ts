import type { ModelTool } from "../model-provider.ts";
import { escapeRegExp, isCommonVerb, toContentWords, toWords } from "./words.ts";

/** More of a description than this would match nearly any text. */
const MAX_DESCRIPTION_WORDS = 14;

/** Tools that the text names: `get_weather`, "get weather". */
export function findNamedTools(text: string, tools: readonly ModelTool[]): ModelTool[] {
  const named = tools.filter((tool) => isNamed(text, tool));
  // "read_file_lines" must not call "read_file" too.
  return named.filter(
    (tool) =>
      !named.some(
        (other) =>
          other !== tool && other.name.includes(tool.name) && !isNamed(text.replaceAll(other.name, ""), tool),
      ),
  );
}

function isNamed(text: string, tool: ModelTool): boolean {
  const name = escapeRegExp(tool.name);
  if (new RegExp(`(?<![\\w-])${name}(?![\\w-])`).test(text) && !isPlainWord(tool.name)) return true;
  // A name that is an everyday word ("view", "bash") has to be called a tool to be meant.
  if (
    new RegExp(
      `\\b(?:use|using|call|run|invoke|with|via)\\s+(?:the\\s+)?["'\`]?${name}\\b|\\b${name}["'\`]?\\s+tool\\b`,
      "i",
    ).test(text)
  )
    return true;
  const words = toWords(tool.name);
  return words.length > 1 && ` ${toWords(text).join(" ")} `.includes(` ${words.join(" ")} `);
}

function isPlainWord(name: string): boolean {
  return /^[a-z]+$/.test(name);
}

/**
 * Tools that the text asks for without naming them: those of which a telling word of the name occurs
 * ("weather" for `get_weather`), or else the one whose description shares most words, two at least.
 */
export function findMeantTools(text: string, tools: readonly ModelTool[]): ModelTool[] {
  const said = new Set(toContentWords(text));
  const scored = tools.map((tool) => ({
    tool,
    byName: countShared(toTellingWords(tool.name), said),
    byDescription: countShared(toDescriptionWords(tool), said),
  }));
  const byName = scored.filter(({ byName }) => byName > 0);
  if (byName.length > 0) {
    const most = Math.max(...byName.map((score) => score.byName));
    const best = byName.filter((score) => score.byName === most);
    return hasOneSubject(
      best.map(({ tool }) => tool),
      said,
    )
      ? [mostDescribed(best)]
      : best.map(({ tool }) => tool);
  }
  const described = scored.filter(({ byDescription }) => byDescription >= 2);
  return described.length > 0 ? [mostDescribed(described)] : [];
}

/** Whether all tools were found by the same words, so that only one of them can be meant. */
function hasOneSubject(tools: readonly ModelTool[], said: ReadonlySet<string>): boolean {
  return (
    new Set(
      tools.map((tool) =>
        toTellingWords(tool.name)
          .filter((word) => said.has(word))
          .join(" "),
      ),
    ).size === 1
  );
}

function mostDescribed(
  scored: readonly { readonly tool: ModelTool; readonly byDescription: number }[],
): ModelTool {
  return scored.reduce((best, score) => (score.byDescription > best.byDescription ? score : best)).tool;
}

function toTellingWords(name: string): string[] {
  return [...new Set(toContentWords(name).filter((word) => !isCommonVerb(word)))];
}

function toDescriptionWords(tool: ModelTool): string[] {
  const firstSentence = tool.description.split(/[.\n]/)[0] ?? "";
  return [
    ...new Set([
      ...toContentWords(tool.name),
      ...toContentWords(firstSentence).slice(0, MAX_DESCRIPTION_WORDS),
    ]),
  ];
}

function countShared(words: readonly string[], said: ReadonlySet<string>): number {
  return words.filter((word) => said.has(word)).length;
}
