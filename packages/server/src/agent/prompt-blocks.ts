/** Tagged blocks of a prompt, whose content cannot end them or speak beside them. */
import { cutText } from "@rightseat/protocol";

export function toListBlock(tag: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [toBlock(tag, lines.join("\n"))];
}

export function toBlock(
  tag: string,
  body: string,
  attributes: Readonly<Record<string, string>> = {},
): string {
  const head = Object.entries(attributes).map(
    ([name, value]) => ` ${name}="${oneLine(value).replaceAll('"', "'")}"`,
  );
  // A closing tag inside would end the block early, and let content speak as the user.
  return `<${tag}${head.join("")}>\n${body.replaceAll(`</${tag}`, `<\\/${tag}`)}\n</${tag}>`;
}

/** Control characters would let a file's name write lines of its own. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}

export function clip(text: string, maxCharacters: number): string {
  return text.length <= maxCharacters
    ? text
    : `${cutText(text, maxCharacters)}\n[cut after ${maxCharacters} of ${text.length} characters]`;
}
