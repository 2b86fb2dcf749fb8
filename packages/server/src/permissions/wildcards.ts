/**
 * Wildcards of rules, matched in time proportional to pattern and text: rules and what they are compared
 * with come from different people, and neither may hold up the other.
 */

/** `**` stands for anything, and with a `/` behind it for no directory too; `*` and `?` stay in a segment. */
export function coversPath(pattern: string, path: string): boolean {
  // What is below a directory includes the directory.
  return (
    run(toPathTokens(pattern), path) ||
    (pattern.endsWith("/**") && run(toPathTokens(pattern.slice(0, -3)), path))
  );
}

/** `*` stands for anything. A `*` that is a word of its own at the end may be missing: `git push *`. */
export function coversText(pattern: string, text: string): boolean {
  const tokens = [...pattern].map((char) => (char === "*" ? ANY : char));
  return run(tokens, text) || (pattern.endsWith(" *") && text === pattern.slice(0, -2));
}

const ANY = Symbol("any characters");
const IN_SEGMENT = Symbol("any characters but a slash");
const ONE = Symbol("one character but a slash");
/** `**` + `/` is both, one behind the other: nothing, or anything that ends in a slash. */
const DIRECTORIES = Symbol("directories");
const IN_DIRECTORIES = Symbol("in directories");
type Token =
  | string
  | typeof ANY
  | typeof IN_SEGMENT
  | typeof ONE
  | typeof DIRECTORIES
  | typeof IN_DIRECTORIES;

function toPathTokens(pattern: string): Token[] {
  const parts = pattern.match(/\*\*\/|\*\*|[\s\S]/gu) ?? [];
  return parts.flatMap((part): Token[] => {
    if (part === "**/") return [DIRECTORIES, IN_DIRECTORIES];
    if (part === "**") return [ANY];
    if (part === "*") return [IN_SEGMENT];
    return [part === "?" ? ONE : part];
  });
}

/** Goes through the text once, with all the places in the pattern where one may be by then. */
function run(tokens: readonly Token[], text: string): boolean {
  let places = withSkipped(tokens, new Set([0]));
  for (const char of text) {
    const next = new Set<number>();
    for (const place of places) {
      const token = tokens[place];
      if (token === ANY || token === IN_DIRECTORIES || (token === IN_SEGMENT && char !== "/"))
        next.add(place);
      if (token === char || (token === ONE && char !== "/") || (token === IN_DIRECTORIES && char === "/"))
        next.add(place + 1);
    }
    places = withSkipped(tokens, next);
    if (places.size === 0) return false;
  }
  return places.has(tokens.length);
}

/** With the places behind wildcards that stand for nothing; those added are looked at in their turn. */
function withSkipped(tokens: readonly Token[], places: Set<number>): Set<number> {
  for (const place of places) {
    const token = tokens[place];
    if (token === ANY || token === IN_SEGMENT || token === DIRECTORIES) places.add(place + 1);
    if (token === DIRECTORIES) places.add(place + 2);
  }
  return places;
}
