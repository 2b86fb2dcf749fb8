/** What waits in a session for its turn. */
import type { Session } from "../open/session.ts";
import type { QueuedPrompt } from "../state/session-state.ts";

/** What clients see waiting, in order, without the item whose turn has come. */
export function waitingItems(session: Session): QueuedPrompt[] {
  const begun = session.run?.messageId;
  return session.state.queue.filter((item) => item.messageId !== begun && item.kind !== "notification");
}

/** Whether a client wants nothing of the queue begun; see `holdQueue`. */
export function isHeld(session: Session): boolean {
  for (const attachment of session.attachments.values()) if (attachment.holdsQueue) return true;
  return false;
}
