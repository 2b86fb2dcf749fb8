/** How clients end what a session does: with all that waits behind it, or the turn alone. */
import { RunAborted } from "../../agent/run-host.ts";
import type { Session } from "../open/session.ts";
import { dropWaiting } from "./queue.ts";
import { type AbortReason, abortRun } from "./run.ts";
import { waitingItems } from "./waiting.ts";

/**
 * Ends the run in progress and all sub-agents; what waits is dropped, since who stops an agent does not
 * want it to begin the next thing. Without a run nothing changes. Resolves when the session is idle.
 */
export async function stopSession(session: Session, reason?: AbortReason): Promise<void> {
  if (session.run !== undefined) dropWaiting(session);
  await abortRun(session, reason);
}

/**
 * Ends the run in progress alone: sub-agents in the background work on.
 * @param keepsWaiting what waits has its turn next, first what was for the turn that is interrupted.
 * @returns whether there was a run. Resolves when it has ended.
 */
export async function interruptTurn(session: Session, keepsWaiting: boolean): Promise<boolean> {
  const { run } = session;
  if (run === undefined) return false;
  if (keepsWaiting) putSteeringFirst(session);
  else dropWaiting(session);
  run.controller.abort(new RunAborted("user_initiated"));
  await run.done;
  return true;
}

function putSteeringFirst(session: Session): void {
  const waiting = waitingItems(session);
  const before = waiting.find(({ steering }) => !steering)?.messageId;
  if (before === undefined) return;
  for (const { messageId, steering } of waiting)
    if (steering) session.record("rightseat.queue_item_moved", { messageId, before });
}
