/**
 * Wildcards of rules, matched in time proportional to pattern and text: rules and what they are compared
 * with come from different people, and neither may hold up the other.
 */
import { linearIndexOf } from "../tools/linear-search.ts";

/** The price of going from one place in a pattern to the next, beside reading one character. */
const STEPS_A_PLACE = 10;

/** How much matching one judgement may take, whatever the rules and the texts: some tenths of a second at most. */
const MAX_STEPS = 50_000_000;

/** Rules and texts are too many, or too long, to be compared with each other. */
export class TooManyStepsError extends Error {}

/** Counts the characters that rules are compared with, over all rules of a judgement. */
export class Steps {
  #left = MAX_STEPS;

  /** @throws TooManyStepsError when none are left. */
  take(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw new TooManyStepsError(`comparing the rules takes more than ${MAX_STEPS} steps`);
  }
}

/** `**` stands for anything, and with a `/` behind it for no directory too; `*` and `?` stay in a segment. */
export function coversPath(pattern: string, path: string, steps: Steps): boolean {
  // What is below a directory includes the directory.
  return (
    run(toPathTokens(pattern), path, steps) ||
    (pattern.endsWith("/**") && run(toPathTokens(pattern.slice(0, -3)), path, steps))
  );
}

/** `*` stands for anything. A `*` that is a word of its own at the end may be missing: `git push *`. */
export function coversText(pattern: string, text: string, steps: Steps): boolean {
  steps.take(pattern.length + text.length);
  return coversPieces(pattern.split("*"), text) || (pattern.endsWith(" *") && text === pattern.slice(0, -2));
}

/** Whether the text begins with the first, ends with the last, and has the others in between in their order. */
function coversPieces(pieces: readonly string[], text: string): boolean {
  const [first = "", ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return text === first;
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of others) {
    const found = piece === "" ? at : linearIndexOf(text, piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= end;
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
function run(tokens: readonly Token[], text: string, steps: Steps): boolean {
  steps.take(tokens.length);
  const places = new Places(tokens);
  places.add(0);
  for (const char of text) {
    const now = places.take();
    if (now.length === 0) return false;
    steps.take(now.length * STEPS_A_PLACE);
    for (const place of now) {
      const token = tokens[place];
      if (token === ANY || token === IN_DIRECTORIES || (token === IN_SEGMENT && char !== "/"))
        places.add(place);
      if (token === char || (token === ONE && char !== "/") || (token === IN_DIRECTORIES && char === "/"))
        places.add(place + 1);
    }
  }
  return places.take().includes(tokens.length);
}

/** Places in a pattern, each once, with those behind wildcards that stand for nothing. */
class Places {
  readonly #tokens: readonly Token[];
  /** The round in which a place was added last. */
  readonly #rounds: Int32Array;
  #round = 1;
  #places: number[] = [];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
    this.#rounds = new Int32Array(tokens.length + 1);
  }

  add(place: number): void {
    for (let at = place; at <= this.#tokens.length && this.#rounds[at] !== this.#round; at++) {
      this.#rounds[at] = this.#round;
      this.#places.push(at);
      const token = this.#tokens[at];
      if (token === DIRECTORIES) this.add(at + 2);
      else if (token !== ANY && token !== IN_SEGMENT) return;
    }
  }

  /** Those that were added since the last time. */
  take(): readonly number[] {
    const places = this.#places;
    this.#places = [];
    this.#round++;
    return places;
  }
}
