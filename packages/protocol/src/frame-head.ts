/** What can be told of a message that is not read whole: whose answer it wants, or whose answer it is. */
export interface FrameHead {
  readonly id?: string | number;
  /** It answers a request of this side; otherwise it is a request or a notification. */
  readonly isAnswer: boolean;
}

const KEY = /[\s,{]*("(?:[^"\\]|\\.)*")\s*:\s*/y;
const SCALAR = /(?:"(?:[^"\\]|\\.)*"|-?[0-9.eE+-]+|true|false|null)(?=\s*[,}])/y;
/** An id behind the large part: nothing but scalars comes after it, and one brace ends the whole. */
const ID_AT_END =
  /"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?[0-9.]+)\s*(?:,\s*"(?:method|jsonrpc)"\s*:\s*"[^"\\]*"\s*)*\}\s*$/;

/**
 * Reads the properties at the top of a JSON object as far as the text goes.
 * @param head how the message begins
 * @param tail how it ends, where that is known
 */
export function readFrameHead(head: string, tail = ""): FrameHead {
  let id: FrameHead["id"];
  let isAnswer = false;
  for (let at = 0; ; ) {
    const key = matchAt(KEY, head, at);
    if (!key) break;
    const name = key[1];
    if (name === '"result"' || name === '"error"') isAnswer = true;
    at += key[0].length;
    const value = matchAt(SCALAR, head, at);
    if (!value) {
      const end = endOfNested(head, at);
      if (end === undefined) break;
      at = end;
      continue;
    }
    if (name === '"id"') id = toId(value[0]);
    at += value[0].length;
  }
  const last = id === undefined ? ID_AT_END.exec(tail)?.[1] : undefined;
  const found = id ?? (last === undefined ? undefined : toId(last));
  return { isAnswer, ...(found === undefined ? {} : { id: found }) };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function toId(json: string): FrameHead["id"] {
  try {
    const id = JSON.parse(json) as unknown;
    return typeof id === "string" || typeof id === "number" ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Index behind an object or a list that begins there; undefined when the text ends inside it. */
function endOfNested(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at];
    if (inString) {
      if (char === "\\") at += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
    if (depth === 0 && !inString) return undefined;
  }
  return undefined;
}
