/**
 * What of a hook's input or output goes into `hook.start` and `hook.end`. The events are kept for ever
 * and shown to everybody, so large values are clipped, and results of tools left out: a hook may be
 * there to take secrets out of them.
 */
const MAX_TEXT = 1000;
const MAX_ITEMS = 32;
const MAX_DEPTH = 4;
const RESULTS: ReadonlySet<string> = new Set(["toolResult", "modifiedResult"]);

export function toLoggedCopy(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return clip(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === MAX_DEPTH) return "…";
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => toLoggedCopy(item, depth + 1));
  const copied = Object.entries(value)
    .slice(0, MAX_ITEMS)
    .map(([name, item]) => [
      name,
      RESULTS.has(name) && item !== undefined && item !== null ? true : toLoggedCopy(item, depth + 1),
    ]);
  return Object.fromEntries(copied);
}

function clip(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}… (${text.length} characters)`;
}
