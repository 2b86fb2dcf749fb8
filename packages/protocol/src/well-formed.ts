/**
 * Text without halves of surrogate pairs. A JavaScript string may hold one: a tool sent it, or a text was
 * cut between the two. Strict readers refuse the JSON of it as a whole, and with it the list or the
 * conversation that it is part of.
 */

/** U+FFFD as JSON escapes it: as many bytes as the half that it stands for. */
const REPLACEMENT = "\\ufffd";
/** Each escape of a JSON text; of escaped surrogates a pair at once. */
const ESCAPES =
  /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[dD][89a-fA-F][\da-fA-F]{2}|[\s\S])/g;
const HALF_LENGTH = 6;

/** JSON of a value, in which every half of a surrogate pair is U+FFFD. @throws TypeError for what has none. */
export function toJson(value: unknown): string {
  const json: string | undefined = JSON.stringify(value);
  if (json === undefined) throw new TypeError(`expected what can be written as JSON, got ${typeof value}`);
  return wellFormedJson(json);
}

/** The same JSON text with U+FFFD for every half of a surrogate pair; neither its length nor its bytes change. */
export function wellFormedJson(json: string): string {
  // `JSON.stringify` escapes surrogates only when they are halves, so nearly every text ends here.
  if (!json.includes("\\ud") && !json.includes("\\uD")) return json;
  return json.replace(ESCAPES, (found) => (found.length === HALF_LENGTH ? REPLACEMENT : found));
}

/** The first so many UTF-16 code units; one less where that would end in half a surrogate pair. */
export function cutText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return text.slice(0, isSplit(text, maxLength) ? maxLength - 1 : Math.max(0, maxLength));
}

/** The last so many UTF-16 code units; one less where that would begin with half a surrogate pair. */
export function endOfText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const from = text.length - Math.max(0, maxLength);
  return text.slice(isSplit(text, from) ? from + 1 : from);
}

/** Whether a cut at the index parts a surrogate pair. */
function isSplit(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  const behind = text.charCodeAt(at);
  return before >= 0xd800 && before <= 0xdbff && behind >= 0xdc00 && behind <= 0xdfff;
}
