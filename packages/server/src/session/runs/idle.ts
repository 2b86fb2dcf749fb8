/** How clients are told that a session is idle. */

import { activeAgents } from "../abilities/agents/active-agents.ts";
import type { Session } from "../open/session.ts";
import { Slot } from "../open/slot.ts";

/** How long after a failure a client may still send its next prompt before the session is called idle. */
const AFTER_FAILURE_MS = 250;

/** Filled while it is still to be told that the session is idle. */
const idleDue = new Slot<NodeJS.Timeout>();

export interface RunEnd {
  readonly aborted?: boolean;
  readonly failed?: boolean;
}

/**
 * Tells that nothing is being done. A client that was told of a failure may send its next prompt at once, and
 * would take the idle of the failed run for the end of the new one: after a failure it comes late, and not at
 * all when a prompt came before it.
 */
export function tellIdle(session: Session, { aborted, failed }: RunEnd): void {
  session.emit("assistant.idle", aborted ? { aborted } : {});
  // Their end is a run of its own, and the session is idle after that.
  if (activeAgents.of(session)?.working) return;
  notIdle(session);
  // Without the mode: SDKs take an idle session on autopilot for one between two steps, and wait on.
  const tell = () => {
    idleDue.set(session, undefined);
    if (!session.closing) session.emit("session.idle", aborted ? { aborted } : {});
  };
  if (failed) idleDue.set(session, setTimeout(tell, AFTER_FAILURE_MS).unref());
  else tell();
}

/** Something begins: the idle that was still to be told is not. */
export function notIdle(session: Session): void {
  clearTimeout(idleDue.of(session));
  idleDue.set(session, undefined);
}
