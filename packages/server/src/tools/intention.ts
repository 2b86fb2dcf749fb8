/** What a person decides on: a sentence that names the object of a call, on one line. */
import { cutText } from "@rightseat/protocol";

const MAX_CHARS = 200;

/** A path, command, pattern or the like in such a sentence: on one line, and cut where it is long. */
export function shownIn(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length <= MAX_CHARS ? line : `${cutText(line, MAX_CHARS)}…`;
}

/** @param description what the model says of it; may be empty. */
export function commandIntention(command: string, description: string): string {
  const line = shownIn(command);
  if (description.trim() === "") return `Run ${line}`;
  return description.includes(line) ? description : `${description}: ${line}`;
}
