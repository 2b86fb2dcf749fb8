/**
 * How deep objects and arrays may be nested in JSON that comes in. Deeper values make the recursion of
 * functions that walk through them, such as `JSON.stringify`, run out of stack.
 */
export const MAX_JSON_DEPTH = 128;

const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Whether JSON text nests deeper than `maxDepth`. Looks at each character at most twice, and never
 * parses; of text that is not JSON the answer means nothing.
 */
export function isDeeperThan(json: string, maxDepth: number = MAX_JSON_DEPTH): boolean {
  // What is not long enough to open so many needs no look.
  if (json.length <= maxDepth) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = endOfString(json, at + 1);
    else if (code === 123 /* { */ || code === 91 /* [ */) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (code === 125 /* } */ || code === 93 /* ] */) depth -= 1;
  }
  return false;
}

/** The index of the quote that ends a string; the text's end when there is none. */
function endOfString(json: string, start: number): number {
  for (let at = json.indexOf('"', start); at >= 0; at = json.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (at - backslashes - 1 >= start && json.charCodeAt(at - backslashes - 1) === BACKSLASH)
      backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return json.length;
}

/**
 * The text or number that a JSON object has under a name, without parsing the rest: for messages that
 * are not to be parsed. Undefined when there is none, or the value is something else.
 */
export function scalarFieldOf(json: string, name: string): string | number | undefined {
  const field = new RegExp(`\\s*:\\s*("(?:[^"\\\\]|\\\\.){0,${MAX_SCALAR}}"|-?\\d{1,${MAX_DIGITS}})`, "y");
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(json, at + 1);
      if (depth === 1 && end - at - 1 === name.length && json.startsWith(name, at + 1)) {
        field.lastIndex = end + 1;
        const value = field.exec(json)?.[1];
        if (value !== undefined) return scalarIn(value);
      }
      at = end;
    } else if (code === 123 || code === 91) depth += 1;
    else if (code === 125 || code === 93) depth -= 1;
  }
  return undefined;
}

const MAX_SCALAR = 200;
const MAX_DIGITS = 16;

function scalarIn(text: string): string | number | undefined {
  try {
    return JSON.parse(text) as string | number;
  } catch {
    return undefined;
  }
}
