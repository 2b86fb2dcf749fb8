/** About how much memory a session holds of what its clients brought. */

import type { Session } from "../open/session.ts";
import { heapBytesOf } from "../state/heap-bytes.ts";

/** What a session, an attachment and a question are besides what is in them. */
const SESSION_BYTES = 4_096;
const QUESTION_BYTES = 2_048;

/** Settings and tools are replaced, never changed: each is looked at once. */
const known = new WeakMap<object, number>();

export function heldBytes(session: Session): number {
  let bytes = SESSION_BYTES + bytesOnce(session.settings);
  for (const { tools } of session.attachments.values()) bytes += bytesOnce(tools);
  for (const { event } of session.questions.list()) bytes += QUESTION_BYTES + heapBytesOf(event.event.data);
  if (session.awake) bytes += heapBytesOf(session.state.queue);
  return bytes;
}

function bytesOnce(value: object): number {
  const before = known.get(value);
  if (before !== undefined) return before;
  const bytes = heapBytesOf(value);
  known.set(value, bytes);
  return bytes;
}
