/**
 * Clients whose connection was lost, and that may be back in a moment. While nobody else is there, the
 * session counts on their tools: a call of one waits for its client, instead of failing because nobody is
 * there just now. Where others are, a client's tools go with it.
 */

import {
  type Attachment,
  type CustomToolSpec,
  hasParticipants,
  type LostClient,
} from "../members/session-settings.ts";
import type { Session } from "./session.ts";

/** How long a client may take to come back, in milliseconds. */
const GRACE_MS = 30_000;

/** A connection ended without a word. */
export function noteLostClient(session: Session, attachment: Attachment): void {
  if (attachment.tools.size === 0) return;
  session.lostClients = [...awaited(session), { attachment, atMs: performance.now() }];
}

/** A client came: one that brings a tool of a lost one is that one, and says itself what it offers. */
export function noteReturn(session: Session, newcomer: Attachment): void {
  const left = awaited(session).filter(({ attachment }) => !sharesTool(attachment, newcomer));
  session.lostClients = left.length > 0 ? left : undefined;
}

/** The tools of clients that are awaited. */
export function* awaitedTools(session: Session): Iterable<CustomToolSpec> {
  if (!session.lostClients || hasParticipants(session.attachments)) return;
  for (const { attachment } of awaited(session)) yield* attachment.tools.values();
}

function awaited(session: Session): readonly LostClient[] {
  const since = performance.now() - GRACE_MS;
  return session.lostClients?.filter(({ atMs }) => atMs >= since) ?? [];
}

function sharesTool(a: Attachment, b: Attachment): boolean {
  for (const name of a.tools.keys()) if (b.tools.has(name)) return true;
  return false;
}
