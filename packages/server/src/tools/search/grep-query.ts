/** What a model asks of `grep`. */
import {
  optionalBoolean,
  optionalChoice,
  optionalNumber,
  optionalText,
  requiredText,
  toArguments,
  withoutNul,
} from "../tool-arguments.ts";

export interface GrepQuery {
  readonly pattern: string;
  readonly mode: "content" | "files_with_matches" | "count";
  readonly glob: string | undefined;
  readonly type: string | undefined;
  readonly ignoreCase: boolean;
  readonly lineNumbers: boolean;
  readonly before: number;
  readonly after: number;
  readonly multiline: boolean;
  /** The lines of the result that are wanted. */
  readonly limit: number;
}

/** A line of a result: in `content` mode with its number, whether it matches or is context. */
export interface GrepLine {
  /** Relative to where the search began. */
  readonly path: string;
  readonly number?: number;
  readonly isMatch?: boolean;
  /** The line itself, or the count; empty when only the path is wanted. */
  readonly text: string;
}

/** A search's results, in order; "gap" is where lines between contexts are left out. */
export type GrepResults = AsyncIterable<GrepLine | "gap">;

/** Where to search: a directory, and in it a single file or all. */
export interface GrepPlace {
  readonly directory: string;
  readonly file: string | undefined;
  /** A folder that is not searched from above. Absolute, without links. */
  readonly hidden?: string | undefined;
}

/** Longer lines are cut, in characters. */
export const MAX_LINE_CHARS = 2000;
const MAX_LINES = 20_000;
const CONTEXT = { min: 0, max: 1000 };

/** @throws ToolArgumentError */
export function parseGrepQuery(args: unknown): GrepQuery {
  const given = toArguments(args);
  const around = optionalNumber(given, "-C", CONTEXT) ?? 0;
  return {
    pattern: withoutNul(requiredText(given, "pattern"), "pattern"),
    mode:
      optionalChoice(given, "output_mode", ["content", "files_with_matches", "count"]) ??
      "files_with_matches",
    glob: withoutNul(optionalText(given, "glob") ?? "", "glob") || undefined,
    type: withoutNul(optionalText(given, "type") ?? "", "type") || undefined,
    ignoreCase: optionalBoolean(given, "-i") ?? false,
    lineNumbers: optionalBoolean(given, "-n") ?? true,
    before: Math.floor(optionalNumber(given, "-B", CONTEXT) ?? around),
    after: Math.floor(optionalNumber(given, "-A", CONTEXT) ?? around),
    multiline: optionalBoolean(given, "multiline") ?? false,
    limit: Math.floor(optionalNumber(given, "head_limit", { min: 0, max: MAX_LINES }) || MAX_LINES),
  };
}
