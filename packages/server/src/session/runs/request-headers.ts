/**
 * Headers that a prompt's model calls go out with. They may hold credentials, so they are kept in memory and
 * never in the log: a prompt that waits through a restart goes out without them.
 */

import type { Session } from "../open/session.ts";
import { Slot } from "../open/slot.ts";

export type RequestHeaders = Readonly<Record<string, string>>;

/** The headers of prompts that wait, by message id. */
const requestHeaders = new Slot<Map<string, RequestHeaders>>();

export function requestHeadersOf(session: Session, messageId: string): RequestHeaders | undefined {
  return requestHeaders.of(session)?.get(messageId);
}

/** Until the prompt's turn comes. */
export function keepRequestHeaders(
  session: Session,
  messageId: string,
  headers: RequestHeaders | undefined,
): void {
  if (!headers) return;
  requestHeaders.ensure(session, () => new Map()).set(messageId, headers);
}

/** The prompt's turn has come. Those of prompts that wait no longer are dropped. */
export function takeRequestHeaders(session: Session, messageId: string): RequestHeaders | undefined {
  const kept = requestHeaders.of(session);
  if (!kept) return undefined;
  const headers = kept.get(messageId);
  const waiting = new Set(session.state.queue.map((item) => item.messageId));
  for (const id of kept.keys()) if (id === messageId || !waiting.has(id)) kept.delete(id);
  if (kept.size === 0) requestHeaders.set(session, undefined);
  return headers;
}
