/** What a person decides on: a sentence that names the object of a call, on one line. */
import { cutText } from "@rightseat/protocol";

const MAX_CHARS = 200;
/** No more of a text is looked at; blanks may be most of it. */
const MAX_READ = 4_000;

/** A path, command, pattern or the like in such a sentence: on one line, and cut where it is long. */
export function shownIn(text: string): string {
  const line = text.trimStart().slice(0, MAX_READ).trimEnd().replace(/\s+/g, " ");
  return line.length <= MAX_CHARS ? line : `${cutText(line, MAX_CHARS)}…`;
}

/** @param description what the model says of it; may be empty. */
export function commandIntention(command: string, description: string): string {
  const line = shownIn(command);
  if (description.trim() === "") return `Run ${line}`;
  return description.includes(line) ? description : `${description}: ${line}`;
}
