/** The known parts of a message that is not read whole: what it asks, or what it answers. */
export interface FrameHead {
  readonly id?: string | number;
  /** It answers a request of this side; otherwise it is a request or a notification. */
  readonly isAnswer: boolean;
  readonly method?: string;
  /** From the parameters. A call that answers a question of a session names the question by both. */
  readonly sessionId?: string;
  readonly requestId?: string;
}

/** Methods by which clients answer what a session asked them. */
const ANSWERS = /\.(?:handlePending|respondTo)[A-Z]/;

/** Whether the rest of the message could tell nothing more that counts. */
export function isEnough(head: FrameHead): boolean {
  if (head.id === undefined) return false;
  if (head.isAnswer) return true;
  if (head.method === undefined) return false;
  return !ANSWERS.test(head.method) || (head.sessionId !== undefined && head.requestId !== undefined);
}

const KEY = /[\s,{]*("(?:[^"\\]|\\.)*")\s*:\s*/y;
const SCALAR = /(?:"(?:[^"\\]|\\.)*"|-?[0-9.eE+-]+|true|false|null)(?=\s*[,}])/y;
const END = /[\s{]*\}/y;
const TEXT = String.raw`"(?:[^"\\]|\\.)*"`;
const MEMBERS = String.raw`(?:\s*,\s*${TEXT}\s*:\s*(?:${TEXT}|-?[0-9.]+|true|false|null))*\s*`;
/** Names that count behind the large part: nothing but scalars comes after them, in as many objects as they are in. */
const AT_END = {
  id: new RegExp(String.raw`"id"\s*:\s*(${TEXT}|-?[0-9.]+)${MEMBERS}\}\s*$`),
  method: new RegExp(String.raw`"method"\s*:\s*(${TEXT})${MEMBERS}\}\s*$`),
  sessionId: new RegExp(String.raw`"sessionId"\s*:\s*(${TEXT})${MEMBERS}\}${MEMBERS}\}\s*$`),
  requestId: new RegExp(String.raw`"requestId"\s*:\s*(${TEXT})${MEMBERS}\}${MEMBERS}\}\s*$`),
} as const;
type Name = keyof typeof AT_END;
const AT_TOP: ReadonlySet<string> = new Set<Name>(["id", "method"]);
const IN_PARAMS: ReadonlySet<string> = new Set<Name>(["sessionId", "requestId"]);

/**
 * Reads the properties at the top of a JSON object, and of its `params`, as far as the text goes.
 * @param head how the message begins
 * @param tail how it ends, where that is known
 */
export function readFrameHead(head: string, tail = ""): FrameHead {
  const found: Partial<Record<Name, string | number>> = {};
  const isAnswer = readMembers(head, 0, found).isAnswer;
  for (const name of Object.keys(AT_END) as Name[]) {
    // In an answer only the id counts: the fields inside of its result may have any names.
    if (found[name] !== undefined || tail === "" || (isAnswer && name !== "id")) continue;
    const json = AT_END[name].exec(tail)?.[1];
    const value = json === undefined ? undefined : toScalar(json);
    if (value !== undefined && (name === "id" || typeof value === "string")) found[name] = value;
  }
  return { ...found, isAnswer } as FrameHead;
}

/** @returns the index behind the object where the text has its end, or undefined. */
function readMembers(
  text: string,
  start: number,
  found: Partial<Record<Name, string | number>>,
  names: ReadonlySet<string> = AT_TOP,
): { end?: number; isAnswer: boolean } {
  let isAnswer = false;
  for (let at = start; ; ) {
    const key = matchAt(KEY, text, at);
    if (!key) {
      const end = matchAt(END, text, at);
      return { isAnswer, ...(end ? { end: at + end[0].length } : {}) };
    }
    const name = toScalar(key[1] as string);
    if (names === AT_TOP && (name === "result" || name === "error")) isAnswer = true;
    at += key[0].length;
    const value = matchAt(SCALAR, text, at);
    if (value) {
      const scalar = typeof name === "string" && names.has(name) ? toScalar(value[0]) : undefined;
      if (scalar !== undefined && (name === "id" || typeof scalar === "string")) found[name as Name] = scalar;
      at += value[0].length;
      continue;
    }
    const isParams = names === AT_TOP && name === "params" && text[at] === "{";
    const end = isParams ? readMembers(text, at, found, IN_PARAMS).end : endOfNested(text, at);
    if (end === undefined) return { isAnswer };
    at = end;
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function toScalar(json: string): string | number | undefined {
  try {
    const value = JSON.parse(json) as unknown;
    return typeof value === "string" || typeof value === "number" ? value : undefined;
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
