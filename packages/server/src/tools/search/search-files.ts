/** Searches without ripgrep: slower, and the same results. */

import { join } from "node:path";
import { cutText } from "@rightseat/protocol";
import { readRegularFile } from "../regular-file.ts";
import { ToolArgumentError } from "../tool-arguments.ts";
import { FILE_TYPES } from "./file-types.ts";
import { compileGlob } from "./glob-pattern.ts";
import { type GrepLine, type GrepPlace, type GrepQuery, MAX_LINE_CHARS } from "./grep-query.ts";
import { createLineMatcher } from "./line-matcher.ts";
import { walk } from "./walk.ts";

/** Larger files are left out. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const SNIFFED_BYTES = 8192;

/** @throws ToolArgumentError for a pattern, glob or type that is not understood; the signal's reason. */
export async function* searchFiles(
  query: GrepQuery,
  place: GrepPlace,
  signal: AbortSignal,
): AsyncGenerator<GrepLine | "gap"> {
  const isWanted = fileFilter(query);
  const includeHidden = /(^|\/)\./.test(query.glob ?? "") ? { includeHidden: () => true } : {};
  const files = place.file
    ? [place.file]
    : walk(place.directory, { signal, links: false, hidden: place.hidden, ...includeHidden });
  const matcher = createLineMatcher(query, signal);
  let isFirst = true;
  try {
    for await (const path of files) {
      const text = isWanted(path) ? await readText(join(place.directory, path)) : undefined;
      const matches = text ? await matcher.match(text) : [];
      if (text === undefined || matches.length === 0) continue;
      if (!isFirst && query.mode === "content" && query.before + query.after > 0) yield "gap";
      isFirst = false;
      yield* resultsOf(path, text, matches, query);
    }
  } finally {
    await matcher.dispose();
  }
}

/** @param matches the numbers of the lines that match, in order. */
function* resultsOf(
  path: string,
  text: string,
  matches: readonly number[],
  query: GrepQuery,
): Generator<GrepLine | "gap"> {
  if (query.mode === "files_with_matches") return yield { path, text: "" };
  if (query.mode === "count") return yield { path, text: String(matches.length) };
  const lines = text.split("\n");
  // What follows the last newline is no line.
  if (lines.at(-1) === "") lines.pop();
  const matching = new Set(matches);
  let shown = 0;
  for (const match of matches) {
    const from = Math.max(shown + 1, match - query.before);
    if (shown > 0 && from > shown + 1 && query.before + query.after > 0) yield "gap";
    // A match in the context behind is shown with its own context.
    const to = Math.min(lines.length, match + query.after);
    for (let number = from; number <= to; number++) {
      yield { path, number, isMatch: matching.has(number), text: cut(lines[number - 1] as string) };
    }
    shown = Math.max(shown, to);
  }
}

function cut(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (text.length <= MAX_LINE_CHARS) return text;
  return `${cutText(text, MAX_LINE_CHARS)} [... omitted end of long line]`;
}

function fileFilter(query: GrepQuery): (path: string) => boolean {
  const extensions = query.type === undefined ? undefined : FILE_TYPES[query.type];
  if (query.type !== undefined && !extensions) {
    throw new ToolArgumentError(`"type" must be one of ${Object.keys(FILE_TYPES).join(", ")}; or use "glob"`);
  }
  const isExcluding = query.glob?.startsWith("!") ?? false;
  const glob = query.glob?.slice(isExcluding ? 1 : 0);
  const anchored = glob?.includes("/") ? glob.replace(/^\//, "") : `**/${glob}`;
  const pattern = glob === undefined ? undefined : compileGlob(anchored, { dot: true });
  return (path) =>
    (!pattern || pattern.matches(path) !== isExcluding) &&
    (!extensions || extensions.some((extension) => path.endsWith(`.${extension}`)));
}

/** Undefined for what is not text, is too large, or cannot be read. */
async function readText(path: string): Promise<string | undefined> {
  const bytes = await readRegularFile(path, MAX_FILE_BYTES).catch(() => undefined);
  return !bytes || bytes.subarray(0, SNIFFED_BYTES).includes(0) ? undefined : bytes.toString("utf8");
}
