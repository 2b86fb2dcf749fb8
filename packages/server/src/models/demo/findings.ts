import { escapeRegExp, toWords } from "./words.ts";

/** A text, and what of it has been given to a parameter already. */
export interface Findings {
  readonly text: string;
  readonly used: Set<string>;
  /** Cut from free texts: "use search_docs for retries" searches for "retries". */
  readonly toolName: string;
}

const QUOTED = /"([^"]+)"|“([^”]+)”|`([^`]+)`|(?<![\p{L}\p{N}])'([^']+)'(?![\p{L}\p{N}])/gu;
/** One or more capitalised words, not those that only begin a sentence. */
const CAPITALISED = /(?<=[^.!?\s"]\s+)\p{Lu}[\p{L}\p{N}'’-]*(?:\s+\p{Lu}[\p{L}\p{N}'’-]*)*/gu;
const PATH = /(?<![\w/])(?:~?\.{0,2}\/[\w./-]+|[\w-]+(?:\/[\w.-]+)+|[\w-]+\.[a-z]\w{0,4})(?!\w)/gi;
const SHAPES: readonly (readonly [RegExp, RegExp])[] = [
  [/url|uri|link|href/i, /https?:\/\/[^\s"'<>]+[^\s"'<>.,;!?)]/gi],
  [/e-?mail/i, /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g],
  [/date|day\b/i, /\b\d{4}-\d{2}-\d{2}\b|\b(?:today|tomorrow|yesterday)\b/gi],
  [/path|file(?!_?text)|filename|directory|folder/i, PATH],
  [/(?:^|_)(?:id|key|number|ticket|issue|code)$|Id$/, /\b[A-Z]{2,}-\d+\b|#?\b\d+\b/g],
];
const FREE_TEXT =
  /query|text|message|prompt|input|content|question|expression|description|string|body|note|topic|subject|intent|task|command/i;

/** The values that a parameter of this name may take from the text: the best first. */
export function findString(
  name: string,
  findings: Findings,
  isRequired: boolean,
  format: unknown,
): string | undefined {
  const named =
    (FREE_TEXT.test(name) ? restAfterName(name, findings.text) : undefined) ?? afterName(name, findings.text);
  if (named !== undefined) return take(named, findings);
  const hint = typeof format === "string" ? `${name} ${format}` : name;
  for (const [names, shape] of SHAPES) {
    const found = names.test(hint) ? firstUnused(findings.text.match(shape) ?? [], findings) : undefined;
    if (found !== undefined) return take(found, findings);
  }
  if (!isRequired) return undefined;
  const found =
    firstUnused(findQuoted(findings.text), findings) ??
    (FREE_TEXT.test(name) ? toFreeText(findings) : undefined);
  return take(
    found ??
      firstUnused(findCapitalised(findings.text), findings) ??
      afterPreposition(findings) ??
      toFreeText(findings),
    findings,
  );
}

function take(value: string, findings: Findings): string {
  findings.used.add(value);
  return value;
}

function firstUnused(values: Iterable<string>, { used, toolName }: Findings): string | undefined {
  for (const value of values) if (!used.has(value) && value !== toolName) return value;
  return undefined;
}

/** `command: git status` → "git status": free text goes on to the end of its line. */
function restAfterName(name: string, text: string): string | undefined {
  const spoken = escapeRegExp(name).replace(/[_-]/g, "[_ -]");
  return new RegExp(String.raw`\b${spoken}\s*[:=]\s*(?!["'\`])([^\n]+)`, "i").exec(text)?.[1]?.trim();
}

/** `city: Paris`, `city=Paris`, `city is "Paris"`, `city "Paris"`, `the city Paris`. */
function afterName(name: string, text: string): string | undefined {
  const spoken = escapeRegExp(name).replace(/[_-]/g, "[_ -]");
  const quoted = new RegExp(
    String.raw`\b${spoken}\s*(?:[:=]|is|of)?\s*(?:"([^"]+)"|'([^']+)'|\`([^\`]+)\`)`,
    "i",
  ).exec(text);
  if (quoted !== null) return quoted[1] ?? quoted[2] ?? quoted[3];
  const plain = new RegExp(
    String.raw`\b${spoken}\s*[:=]\s*([^\s,;]+)|\b${spoken}\s+is\s+([^\s,;?!]+)`,
    "i",
  ).exec(text);
  if (plain !== null) return (plain[1] ?? plain[2])?.replace(/[.?!]+$/, "");
  return new RegExp(
    String.raw`\b[${name.charAt(0)}${name.charAt(0).toUpperCase()}]${escapeRegExp(name.slice(1)).replace(/[_-]/g, "[_ -]")}\s+(\p{Lu}[\p{L}\p{N}-]*(?:\s+\p{Lu}[\p{L}\p{N}-]*)*)`,
    "u",
  ).exec(text)?.[1];
}

function findQuoted(text: string): string[] {
  return [...text.matchAll(QUOTED)].map((match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? "");
}

function findCapitalised(text: string): string[] {
  return (text.match(CAPITALISED) ?? []).filter((found) => found !== "I");
}

/** "weather in berlin" → "berlin". */
function afterPreposition(findings: Findings): string | undefined {
  const found = [
    ...findings.text.matchAll(
      /\b(?:in|for|of|about|named|called|at|from|to)\s+(?:the\s+|a\s+|an\s+)?([\p{L}\p{N}][\p{L}\p{N}_.-]*)/giu,
    ),
  ].map((match) => (match[1] ?? "").replace(/\.$/, ""));
  return firstUnused(found, findings);
}

/** The text without what only asks for the tool. */
function toFreeText({ text, toolName }: Findings): string {
  const afterColon = /:\s+([^\n]+)$/.exec(text)?.[1];
  if (afterColon !== undefined) return afterColon.trim();
  const named = escapeRegExp(toolName).replace(/[_-]/g, "[_ -]");
  const request = new RegExp(
    String.raw`^(?:please\s+)?(?:(?:can|could) you\s+)?(?:use|call|run|invoke)?\s*(?:the\s+)?(?:tool\s+)?["'\`]?${named}["'\`]?(?:\s+tool)?\s*(?:to|for|with|on|and)?\s*`,
    "i",
  );
  return text.replace(request, "").trim() || text.trim();
}

/** The entries of a listing: quoted ones, or capitalised words joined by commas and "and". */
export function findListed(text: string): string[] {
  const quoted = findQuoted(text);
  if (quoted.length > 1) return quoted;
  const listing =
    /\p{Lu}[\p{L}-]*(?: \p{Lu}[\p{L}-]*)*(?:,? (?:and|or|&) |, )\p{Lu}[\p{L}-]*(?:(?:,? (?:and|or|&) |, | )\p{Lu}[\p{L}-]*)*/u.exec(
      text,
    )?.[0];
  return listing === undefined ? [] : listing.split(/,? (?:and|or|&) |, /);
}

/** `days: 3`, `days 3`, `3 days`; for a required parameter, else the first number not yet taken. */
export function findNumber(name: string, findings: Findings, isRequired: boolean): number | undefined {
  const spoken = escapeRegExp(name).replace(/[_-]/g, "[_ -]");
  const number = String.raw`(-?\d+(?:\.\d+)?)`;
  const near = new RegExp(
    String.raw`\b${spoken}\s*(?:[:=]|is|of|to)?\s*${number}|${number}\s+${spoken}\b`,
    "i",
  ).exec(findings.text);
  const found =
    near?.[1] ??
    near?.[2] ??
    (isRequired ? firstUnused(findings.text.match(/(?<![\w.])-?\d+(?:\.\d+)?/g) ?? [], findings) : undefined);
  if (found === undefined) return undefined;
  findings.used.add(found);
  return Number(found);
}

/** Whether the words of `phrase` stand next to each other in the text. */
export function isSaid(phrase: string, text: string): boolean {
  const words = toWords(phrase).join(" ");
  return words !== "" && ` ${toWords(text).join(" ")} `.includes(` ${words} `);
}
