/**
 * Work that another process may take over in the middle: a run that waits for clients' answers and for
 * nothing else, of which no client is left here. A client whose connection has gone silent may be asking
 * for its session at another server already, long before the system notices here.
 */
import type { ClientLink } from "../members/client-link.ts";
import type { Session } from "./session.ts";

/** How long a client may take to show that it is there; shorter than the other process waits for an answer. */
const ANSWER_MS = 1_500;

/** Whether everything that was begun is in the hands of clients: nothing is lost by asking them again elsewhere. */
export function waitsForClients(session: Session): boolean {
  if (session.worksAside || session.sideWork !== undefined) return false;
  const asked = new Set(session.questions.list().map(({ toolCallId }) => toolCallId));
  if (session.run === undefined || asked.size === 0) return false;
  return session.state.openToolCalls.every(({ started, toolCallId }) => !started || asked.has(toolCallId));
}

/** The clients that do not answer. Any answer counts, a refusal too: not every client knows the question. */
export async function silentClients(session: Session): Promise<ClientLink[]> {
  const links = [...session.attachments.keys()];
  const silent = await Promise.all(links.map((link) => isSilent(link, session.id)));
  return links.filter((_, index) => silent[index]);
}

async function isSilent(link: ClientLink, sessionId: string): Promise<boolean> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  try {
    await link.request("ping", { sessionId }, signal);
    return false;
  } catch {
    return signal.aborted;
  }
}
