/** Custom instructions as the model reads them: a section of the system message. */
import { splitFrontMatter } from "./front-matter.ts";
import type { InstructionSource } from "./instructions.ts";

export interface RenderInstructionsOptions {
  readonly sources: readonly InstructionSource[];
  /** Ids of sources that somebody turned off. */
  readonly disabled?: readonly string[];
  /** What the application's own organisation says; before everything. */
  readonly organization?: string;
}

/** Empty when there is nothing to say. Rules for certain files are named, not quoted: most turns touch none of them. */
export function renderInstructions(options: RenderInstructionsOptions): string {
  const off = new Set(options.disabled);
  const sources = options.sources.filter((source) => !off.has(source.id));
  const quoted = sources.filter((source) => source.applyTo === undefined);
  const named = sources.filter((source) => source.applyTo !== undefined);
  const organization = options.organization?.trim() ?? "";
  const blocks = [
    organization === "" ? "" : block("organization", organization),
    ...quoted.map((source) => block(source.sourcePath, textOf(source))),
    named.length === 0 ? "" : [NAMED, ...named.map(toLine)].join("\n"),
  ].filter((text) => text !== "");
  return blocks.length === 0 ? "" : [INTRODUCTION, ...blocks].join("\n\n");
}

/** Whether a text holds what was rendered of a source. */
export function mentions(text: string, source: InstructionSource): boolean {
  return text.includes(source.applyTo === undefined ? headOf(source.sourcePath) : toLine(source));
}

const INTRODUCTION =
  "Wishes of the people whose project this is. Follow them; where two differ, the later one counts.";
const NAMED =
  "These files hold rules for parts of the project. Before you change a file that a pattern fits, read its rules:";

function textOf(source: InstructionSource): string {
  return (source.type === "vscode" ? splitFrontMatter(source.content).body : source.content).trim();
}

function block(from: string, text: string): string {
  return `${headOf(from)}\n${text}\n</instructions>`;
}

function headOf(from: string): string {
  return `<instructions from=${JSON.stringify(from)}>`;
}

function toLine(source: InstructionSource): string {
  const about = source.description === undefined ? "" : ` (${source.description.replace(/\s+/g, " ")})`;
  return `- ${source.applyTo?.join(", ")}: ${source.sourcePath}${about}`;
}
