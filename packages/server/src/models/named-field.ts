/** Which part of a request a provider's refusal speaks of: each says it in words of its own. */

/** What a provider said when it refused a request. */
export interface Refusal {
  /** In words; without credentials. */
  readonly said: string;
  /** The part that it names beside them (OpenAI's `param`). */
  readonly parameter?: string;
}

/** What follows lists what the provider takes instead. */
const WHAT_IT_TAKES =
  /expected (?:one of|a )|known (?:properties|fields)|(?:supported|allowed|valid|permitted|accepted) (?:parameters|fields|properties|keys|values)\b|did you mean/i;

const REFUSES =
  /unknown|unsupported|unrecogni[sz]ed|unexpected|unmarshal|invalid|extra|extraneous|cannot|can't|only|forbidden|disabled|deprecated|verified|unable|missing|must|should|at most|maximum|range|too (?:large|high)|greater|exceed|\b(?:not|n't|no)\b|does not|doesn't/i;

/** An application calls its tools as it likes: their names are none of our fields. */
const NAMES_OF_TOOLS =
  /((?:function|tool)s?(?: named| with the name| call)?:? ?)(?:'[^']*'|"[^"]*"|`[^`]*`)/gi;

/** Refusals that name one of these, as `stream_options` or `reasoning.summary`, in whatever spelling. */
export function namesField(...paths: readonly string[]): (refusal: Refusal) => boolean {
  const matchers = paths.map((path) => ({ path, words: toWords(path) }));
  return ({ said, parameter }) => {
    if (parameter !== undefined) {
      const named = withoutIndexes(parameter);
      if (matchers.some(({ path }) => `.${named}.`.includes(`.${path}.`))) return true;
      // It speaks of a tool, whatever words of it the provider repeats.
      if (/^(?:tools|functions)(?:\.|$)/.test(named)) return false;
    }
    const refused = refusedPart(said);
    return REFUSES.test(said) && matchers.some(({ words }) => words.test(refused));
  };
}

/** Refusals in these words. */
export function saysWords(words: RegExp): (refusal: Refusal) => boolean {
  return ({ said }) => words.test(said);
}

/** Whether a refusal speaks of a message, by its place among them. */
export function isOfMessage({ said, parameter }: Refusal): boolean {
  return /\b(?:messages|input|contents)(?:\[|\.|\W{1,5})\d+/.test(parameter ?? said);
}

/** What comes before the list of what it takes, where that is behind something. */
function refusedPart(said: string): string {
  const words = said.replace(NAMES_OF_TOOLS, "$1");
  const at = words.search(WHAT_IT_TAKES);
  return at > 0 ? words.slice(0, at) : words;
}

function withoutIndexes(parameter: string): string {
  return parameter.replace(/\[\d+\]|\.\d+(?=\.|$)/g, "").replace(/^body\./, "");
}

/**
 * A name of several words is met nowhere but where it is meant. One that is a common word counts where it
 * stands in quotes, at the head of a path, or behind the word for what it is.
 */
function toWords(path: string): RegExp {
  const spelled = path
    .split(".")
    .map((name) => name.replaceAll("_", "[_ ]?"))
    .join("(?:\\W+\\d+)?\\W{1,5}");
  if (/[_.]/.test(path)) return new RegExp(`(?<!\\w)${spelled}(?!\\w)`, "i");
  return new RegExp(
    [
      `(?<![\\w.])['"\`\\[]+${spelled}['"\`\\]]`,
      `(?:^|[\\s(>]|body\\.|#/)${spelled}(?::|\\.[a-z])`,
      `(?:struct field \\w+\\.|this model: )${spelled}(?!\\w)`,
      `(?:parameters?|arguments?|fields?|propert(?:y|ies)|keys?|names?|options?|inputs?|supplied):? \\W{0,2}${spelled}(?![\\w.])`,
    ].join("|"),
    "i",
  );
}

/** Smaller numbers in a refusal are something else. */
const LEAST_BOUND = 16;

/** The greatest number that the refusal tells below `sent`: the bound that it wants kept. */
export function boundIn({ said }: Refusal, sent: number): number | undefined {
  const told = [...refusedPart(said).matchAll(/(?<![\w.-])(?:\d{1,3}(?:,\d{3})+|\d+)(?![\w-]|\.\d)/g)]
    .map(([number]) => Number(number.replaceAll(",", "")))
    .filter((number) => number >= LEAST_BOUND && number < sent);
  if (told.length === 0) return undefined;
  const bound = Math.max(...told);
  return new RegExp(`${bound} ?\\(exclusive\\)|less than ${bound}`).test(said) ? bound - 1 : bound;
}
