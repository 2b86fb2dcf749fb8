/**
 * What of a hook's input or output goes into `hook.start` and `hook.end`. The events are kept for ever
 * and shown to everybody, so it is bounded, and results of tools are left out: a hook may be there to take
 * secrets out of them.
 */
import { cutText } from "@rightseat/protocol";

const MAX_TEXT = 1000;
const MAX_ITEMS = 32;
const MAX_DEPTH = 4;
/** The size of the whole copy in characters, about. */
const MAX_TOTAL = 8000;
const LEFT_OUT = "…";
const RESULTS: ReadonlySet<string> = new Set(["toolResult", "modifiedResult"]);

interface Budget {
  left: number;
}

export function toLoggedCopy(value: unknown): unknown {
  return copy(value, 0, { left: MAX_TOTAL });
}

function copy(value: unknown, depth: number, budget: Budget): unknown {
  if (budget.left <= 0) return LEFT_OUT;
  if (typeof value === "string") {
    const text = clip(value);
    budget.left -= text.length;
    return text;
  }
  budget.left -= 8;
  if (typeof value !== "object" || value === null) return value;
  if (depth === MAX_DEPTH) return LEFT_OUT;
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => copy(item, depth + 1, budget));
  const entries = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(
    entries.map(([name, item]) => [clip(name), copyField(name, item, depth, budget)]),
  );
}

function copyField(name: string, item: unknown, depth: number, budget: Budget): unknown {
  if (RESULTS.has(name) && item !== undefined && item !== null) return true;
  budget.left -= name.length;
  return copy(item, depth + 1, budget);
}

function clip(text: string): string {
  return text.length <= MAX_TEXT ? text : `${cutText(text, MAX_TEXT)}… (${text.length} characters)`;
}
