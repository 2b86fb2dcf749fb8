import type { YamlMap, YamlValue } from "./yaml-map.ts";

/**
 * Front matter: the block between `---` lines at the start of a Markdown file. It is YAML, and people write it by hand: a value that is
 * no YAML (`applyTo: **\/*.ts`, `description: Use it when: …`) is taken as the text that it is, and the others are read.
 */
/** How many keys of a block that is no YAML are read as YAML each; the others are text. */
const MAX_YAML_ENTRIES = 100;

export interface MarkdownFile {
  /** Numbers are text, as they were written. */
  readonly attributes: Readonly<YamlMap>;
  /** What follows the block, without the empty lines before it; the whole text when there is none. */
  readonly body: string;
}

/** Never rejects: a line that belongs to no key is passed over. */
export async function parseFrontMatter(text: string): Promise<MarkdownFile> {
  const { block, body } = splitFrontMatter(text);
  if (block === undefined) return { attributes: {}, body };
  const { parseYamlMap } = await import("./yaml-map.ts");
  const attributes = parseYamlMap(block);
  if (attributes !== undefined) return { attributes, body };
  return { attributes: Object.fromEntries(readEntries(block, parseYamlMap)), body };
}

/** The text of the block without its fences, undefined when there is none; and the text below it. */
export function splitFrontMatter(text: string): { readonly block?: string; readonly body: string } {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const end = lines[0]?.trimEnd() === "---" ? lines.findIndex((line, at) => at > 0 && isFence(line)) : -1;
  if (end < 0) return { body: text };
  const below = lines.slice(end + 1).join("\n");
  return { block: lines.slice(1, end).join("\n"), body: below.replace(/^\s*\n/, "") };
}

/** Text of an attribute, if it is text and not empty. */
export function textAttribute(value: YamlValue | undefined): string | undefined {
  const text = typeof value === "string" ? value.trim() : "";
  return text === "" ? undefined : text;
}

/** The texts of a list, or of text with commas between (outside braces); undefined when it is neither. */
export function listAttribute(value: YamlValue | undefined): readonly string[] | undefined {
  if (typeof value === "string") {
    return splitOutside(value, "{}")
      .map((item) => item.trim())
      .filter(Boolean);
  }
  if (!Array.isArray(value)) return undefined;
  return value.filter((item: YamlValue) => typeof item === "string" && item !== "");
}

/** A block that is no YAML as a whole, key by key. */
function* readEntries(
  block: string,
  parseYamlMap: (text: string) => YamlMap | undefined,
): Generator<readonly [string, YamlValue]> {
  const lines = block.split("\n");
  let entries = 0;
  for (let at = 0; at < lines.length; ) {
    const [, key, inline = ""] = /^([A-Za-z_][\w.-]*):(?:\s+(.*))?$/s.exec(lines[at] as string) ?? [];
    const below = key === undefined ? [] : indented(lines, at + 1);
    if (key !== undefined) {
      const text = [lines[at], ...below].join("\n");
      entries += 1;
      yield [
        key,
        (entries <= MAX_YAML_ENTRIES ? parseYamlMap(text)?.[key] : undefined) ?? toTextOrList(inline, below),
      ];
    }
    at += 1 + below.length;
  }
}

function isFence(line: string): boolean {
  return /^(?:---|\.\.\.)\s*$/.test(line);
}

/** The lines that belong to a key: deeper ones, list items, and empty lines between them. */
function indented(lines: readonly string[], from: number): string[] {
  let to = from;
  while (to < lines.length && /^(?:\s|-\s|-$|#|$)/.test(lines[to] as string)) to += 1;
  return lines.slice(from, to);
}

/** A value that is no YAML, as it stands. */
function toTextOrList(inline: string, below: readonly string[]): YamlValue {
  const lines = [inline, ...below]
    .map((line) => withoutComment(line.trim(), "#"))
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length > 0 && lines.every((line) => /^-(?:\s|$)/.test(line)))
    return toItems(lines.map((line) => line.slice(1)));
  const text = lines.join("\n");
  return text.startsWith("[") && text.endsWith("]") ? toItems(splitOutside(text.slice(1, -1), "{}")) : text;
}

function toItems(texts: readonly string[]): string[] {
  return texts.map((text) => unquote(text.trim())).filter((item) => item !== "");
}

function unquote(item: string): string {
  const quote = item[0] ?? "";
  const isQuoted = item.length > 1 && "\"'".includes(quote) && item.endsWith(quote);
  return isQuoted ? item.slice(1, -1) : item;
}

/** What goes before a mark of comments that has white space before it. */
export function withoutComment(text: string, marks: string): string {
  for (let at = 1; at < text.length; at++)
    if (marks.includes(text[at] as string) && /\s/.test(text[at - 1] as string))
      return text.slice(0, at).trimEnd();
  return text;
}

/** At commas, but for those inside quotes or the brackets given. */
function splitOutside(text: string, [open, close]: string): string[] {
  const parts = [""];
  let depth = 0;
  let quote = "";
  for (const character of text) {
    if (quote !== "") quote = character === quote ? "" : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === open) depth += 1;
    else if (character === close) depth -= 1;
    if (character === "," && depth <= 0 && quote === "") parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts;
}
