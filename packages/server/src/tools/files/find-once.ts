/** Finds the one place that an edit means. */
import { linearIndexOf, occurrences } from "../linear-search.ts";

export interface Replacement {
  readonly oldText: string;
  readonly newText: string;
}

export interface PlacedText extends Replacement {
  readonly at: number;
}

const MAX_NAMED_LINES = 5;
/** More are not counted. */
const MAX_PLACES = 100;

/** Where the text is, with line ends as the file has them; or what is wrong, for the model to mend. */
export function findOnce(text: string, { oldText, newText }: Replacement): PlacedText | { problem: string } {
  const places = placesOf(text, oldText);
  if (places.length === 1) return { at: places[0] as number, oldText, newText };
  if (places.length > 1) return { problem: tooMany(text, places) };
  if (text.includes("\r\n") && oldText.includes("\n") && !oldText.includes("\r\n")) {
    return findOnce(text, { oldText: toCrLf(oldText), newText: toCrLf(newText) });
  }
  return { problem: none(text, oldText) };
}

function placesOf(text: string, part: string): number[] {
  const places: number[] = [];
  // Overlapping ones count: which of them is meant is as unclear.
  for (const at of occurrences(text, part)) {
    places.push(at);
    if (places.length === MAX_PLACES) break;
  }
  return places;
}

function tooMany(text: string, places: readonly number[]): string {
  const lines = places.slice(0, MAX_NAMED_LINES).map((at) => text.slice(0, at).split("\n").length);
  const more = places.length > lines.length ? ", …" : "";
  const count = places.length === MAX_PLACES ? `${MAX_PLACES} times or more` : `${places.length} times`;
  return `old_str is in it ${count}, at lines ${lines.join(", ")}${more}. Include more of the text around the one that is meant.`;
}

function none(text: string, oldText: string): string {
  const loose = (value: string) => value.replace(/\s+/g, " ").trim();
  const hint =
    linearIndexOf(loose(text), loose(oldText)) >= 0
      ? "It is in it with other spaces or line breaks. View the file and copy them exactly."
      : "View the file to see what it holds now.";
  return `old_str is not in it. ${hint}`;
}

function toCrLf(text: string): string {
  return text.replace(/\r?\n/g, "\r\n");
}
