/**
 * The block between `---` lines at the start of a Markdown file. Read as the part of YAML that such
 * files are written in: keys with text, quoted text, booleans, lists (`[a, b]` or lines with `-`) and
 * block text (`|`, `>`). Anything deeper (maps in maps) is left out.
 */
export type FrontMatterValue = string | boolean | readonly string[];

export interface MarkdownFile {
  readonly attributes: Readonly<Record<string, FrontMatterValue>>;
  /** What follows the block, without the empty lines before it; the whole text when there is none. */
  readonly body: string;
}

/** Never fails: a line that makes no sense is passed over. */
export function parseFrontMatter(text: string): MarkdownFile {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const end = lines[0]?.trimEnd() === "---" ? lines.findIndex((line, at) => at > 0 && isFence(line)) : -1;
  if (end < 0) return { attributes: {}, body: text };
  const attributes: Record<string, FrontMatterValue> = Object.create(null);
  for (let at = 1; at < end; ) {
    const entry = /^([A-Za-z_][\w.-]*):(?:\s+(.*))?$/s.exec(lines[at] as string);
    const below = entry ? indented(lines, at + 1, end) : [];
    if (entry) {
      const value = toValue((entry[2] ?? "").trim(), below);
      if (value !== undefined) attributes[entry[1] as string] = value;
    }
    at += 1 + below.length;
  }
  return {
    attributes: { ...attributes },
    body: lines
      .slice(end + 1)
      .join("\n")
      .replace(/^\s*\n/, ""),
  };
}

/** Text of an attribute, if it is text and not empty. */
export function textAttribute(value: FrontMatterValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A list, or text with commas between (outside braces); undefined when it is neither. */
export function listAttribute(value: FrontMatterValue | undefined): readonly string[] | undefined {
  if (typeof value === "string") {
    return splitOutside(value, "{}")
      .map((item) => item.trim())
      .filter(Boolean);
  }
  return typeof value === "boolean" ? undefined : value;
}

function isFence(line: string): boolean {
  return /^(?:---|\.\.\.)\s*$/.test(line);
}

/** The lines that belong to a key: deeper ones, list items, and empty lines between them. */
function indented(lines: readonly string[], from: number, end: number): string[] {
  let to = from;
  while (to < end && /^(?:\s|-\s|-$|#|$)/.test(lines[to] as string)) to += 1;
  return lines.slice(from, to);
}

function toValue(inline: string, below: readonly string[]): FrontMatterValue | undefined {
  const block = /^([|>])[-+\d]*\s*(?:#.*)?$/.exec(inline);
  if (block) return toBlockText(below, block[1] === ">");
  if (inline !== "" && !inline.startsWith("#")) return toScalarOrList(inline);
  const items = below.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  if (items.length === 0) return "";
  if (!items.every((item) => /^-(?:\s|$)/.test(item))) return undefined;
  return items.map((item) => unquote(item.slice(1).trim())).filter((item) => item !== "");
}

function toBlockText(below: readonly string[], isFolded: boolean): string {
  const indent = below
    .filter((line) => line.trim() !== "")
    .reduce(
      (least, line) => Math.min(least, line.length - line.trimStart().length),
      Number.POSITIVE_INFINITY,
    );
  const lines = below.map((line) => line.slice(Number.isFinite(indent) ? indent : 0).trimEnd());
  const text = lines.join("\n").trim();
  return isFolded ? text.replace(/([^\n])\n(?=[^\n])/g, "$1 ") : text;
}

function toScalarOrList(text: string): FrontMatterValue | undefined {
  const list = /^\[(.*)\]\s*(?:#.*)?$/s.exec(text);
  if (list) {
    return splitOutside(list[1] as string, "{}")
      .map((item) => unquote(item.trim()))
      .filter((item) => item !== "");
  }
  if (text.startsWith("{")) return undefined;
  const value = unquote(text);
  if (value === text && /^(?:true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return value;
}

function unquote(text: string): string {
  const single = /^'((?:[^']|'')*)'\s*(?:#.*)?$/s.exec(text);
  if (single) return (single[1] as string).replaceAll("''", "'");
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/s.exec(text);
  if (double) return (double[1] as string).replace(/\\(.)/g, (_, c: string) => ESCAPES[c] ?? c);
  return withoutComment(text, "#");
}

/** What goes before a mark of comments that has white space before it. */
export function withoutComment(text: string, marks: string): string {
  for (let at = 1; at < text.length; at++)
    if (marks.includes(text[at] as string) && /\s/.test(text[at - 1] as string))
      return text.slice(0, at).trimEnd();
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t" };

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
