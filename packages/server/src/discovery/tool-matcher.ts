/**
 * The `matcher` of a repository's hook: a regular expression that has to match the whole name of a tool.
 * Whoever writes the file must not hold up the server, so it is RE2's language, matched in linear time: no
 * look-around and no back-references.
 */
import type { RE2JS } from "re2js";

export interface ToolMatcher {
  /** As the file has it. */
  readonly source: string;
  matches(toolName: string): boolean;
}

const MAX_SOURCE_CHARACTERS = 1000;
/** The size of the compiled expression, which bounds the cost of each character of a name. */
const MAX_PROGRAM_SIZE = 500;
/** Providers take no longer names. What is longer is matched by all. */
const MAX_NAME_CHARACTERS = 128;

/** The matcher, or why the text is none: with `isExpression` it would be one without our bounds. */
export async function compileToolMatcher(
  source: string,
): Promise<ToolMatcher | { readonly problem: string; readonly isExpression: boolean }> {
  if (source.length > MAX_SOURCE_CHARACTERS)
    return { problem: `it has more than ${MAX_SOURCE_CHARACTERS} characters`, isExpression: true };
  const engine = await import("re2js");
  let pattern: RE2JS;
  try {
    pattern = engine.RE2JS.compile(engine.RE2JS.translateRegExp(source));
  } catch {
    return isRegExp(source)
      ? { problem: "it uses look-around, back-references, or too large counts", isExpression: true }
      : { problem: "expected a regular expression", isExpression: false };
  }
  if (pattern.programSize() > MAX_PROGRAM_SIZE)
    return { problem: "it is too large once its counts are written out", isExpression: true };
  return {
    source,
    matches: (toolName) => toolName.length > MAX_NAME_CHARACTERS || pattern.matches(toolName),
  };
}

/** Whether it is one that takes any time. Made, and never run. */
function isRegExp(source: string): boolean {
  try {
    return Boolean(new RegExp(source));
  } catch {
    return false;
  }
}
