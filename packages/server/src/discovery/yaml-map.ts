/** Reads a YAML map that strangers wrote, in bounded time and memory. This file loads a library: import it when it is needed. */
import { Composer, type CST, Lexer, Parser } from "yaml";
/** Numbers and nothing are text, as they were written. */
export type YamlValue = string | boolean | readonly YamlValue[] | { readonly [key: string]: YamlValue };
export type YamlMap = Record<string, YamlValue>;

/** The length of a text; about thirty times the length that people write. */
const MAX_YAML_CHARACTERS = 16 * 1024;
/** The lexemes of a text: a line `key: value` has five. Each costs time, and an object. */
const MAX_LEXEMES = 5000;
/** How deep lists and maps lie in each other, about two a level. The library calls itself once a level. */
const MAX_DEPTH = 48;
/** Aliases may stand for more than memory holds, or for what they are in. Nobody needs them here. */
const MAX_ALIASES = 0;

const OPTIONS = {
  // Text, lists and maps; a version such as 4.10 stays as it is written.
  schema: "failsafe",
  customTags: ["bool"],
  resolveKnownTags: false,
  // The last one counts. To look for the same key again takes time proportional to the square of the keys.
  uniqueKeys: false,
  logLevel: "silent",
} as const;

/** Undefined for what is no YAML, no map, or beyond a bound. */
export function parseYamlMap(text: string): YamlMap | undefined {
  const tokens = text.length > MAX_YAML_CHARACTERS ? undefined : toTokens(text);
  if (tokens === undefined) return undefined;
  const [document, ...others] = new Composer({ ...OPTIONS, customTags: [...OPTIONS.customTags] }).compose(
    tokens,
  );
  if (document === undefined || others.length > 0 || document.errors.length > 0) return undefined;
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
    return isMap ? (value as YamlMap) : undefined;
  } catch {
    // There are aliases.
    return undefined;
  }
}

function toTokens(text: string): CST.Token[] | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme));
    lexemes += 1;
    if (lexemes > MAX_LEXEMES || parser.stack.length > MAX_DEPTH) return undefined;
  }
  tokens.push(...parser.end());
  return tokens;
}
