/** Words that say nothing about what a text wants. */
const STOP_WORDS = new Set(
  `a an and any are as at be but by can could did do does for from give had has have hello her hi his how i if in into is it its
   just let like list may me my new no not now of off on one or our out please run say set should show some tell than that the
   their them then there these they this those to too tool tools up us use used user uses using was we were what when where which
   who why will with would you your`.split(/\s+/),
);

/** Verbs that half of all tools carry in their name. */
const COMMON_VERBS = new Set(
  "add ask call check create delete do edit fetch find get list look lookup make open read run search send set show update view write".split(
    " ",
  ),
);

/** Lower-case words of a text or of an identifier (`getWeather`, `get_weather`, `get-weather`), plurals cut. */
export function toWords(text: string): string[] {
  const spaced = text.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  return (spaced.match(/[\p{L}\p{N}]+/gu) ?? []).map(toStem);
}

/** Those of the words that carry meaning. */
export function toContentWords(text: string): string[] {
  return toWords(text).filter((word) => word.length > 2 && !STOP_WORDS.has(word));
}

export function isCommonVerb(word: string): boolean {
  return COMMON_VERBS.has(word);
}

function toStem(word: string): string {
  return word.length > 3 && word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
}

/** `text` with everything special to a regular expression escaped. */
export function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
