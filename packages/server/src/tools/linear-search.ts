/**
 * Where a text is in another. `indexOf` takes time proportional to the product of both lengths for texts
 * that were made for it; this takes their sum (Knuth, Morris and Pratt).
 */

/** The product does not matter for texts as short as this. */
const SHORT = 64;

/** The index from `from` on, or -1. */
export function linearIndexOf(text: string, part: string, from = 0): number {
  if (part.length <= SHORT) return text.indexOf(part, from);
  for (const at of occurrences(text, part, from)) return at;
  return -1;
}

/** All of them, overlapping ones too, in order. */
export function* occurrences(text: string, part: string, from = 0): Generator<number, void> {
  if (part === "") return;
  const fallback = fallbacksOf(part);
  let matched = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    while (matched > 0 && part.charCodeAt(matched) !== code) matched = fallback[matched - 1] as number;
    if (part.charCodeAt(matched) === code) matched++;
    if (matched < part.length) continue;
    yield at - part.length + 1;
    matched = fallback[matched - 1] as number;
  }
}

/** For each beginning of the part: how long its longest end is that is a beginning too. */
function fallbacksOf(part: string): Int32Array {
  const fallback = new Int32Array(part.length);
  for (let at = 1, matched = 0; at < part.length; at++) {
    while (matched > 0 && part.charCodeAt(matched) !== part.charCodeAt(at))
      matched = fallback[matched - 1] as number;
    if (part.charCodeAt(matched) === part.charCodeAt(at)) matched++;
    fallback[at] = matched;
  }
  return fallback;
}
