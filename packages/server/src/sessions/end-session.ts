/**
 * The way in which a session ends on this node, whoever ends it. Its steps, in order:
 *
 * 1. Nothing new begins in it.
 * 2. Its clients are told when they could not know (`lost`).
 * 3. The run, a compaction and side work are suspended; what they had to write is written.
 * 4. The hooks of its clients and its repository are told (`closed`, `deleted`).
 * 5. Its end is logged, and lists show it as it is now (`closed`).
 * 6. Its questions are cancelled, its processes end, what was logged is committed, and the lease is given back.
 * 7. It is forgotten, which is announced.
 *
 * A step that fails is told to the log, and keeps none of the later ones from being taken.
 */

import { RunSuspended } from "../agent/run-host.ts";
import type { SessionEnd } from "../announcements/announcements.ts";
import type { HookSource } from "../hooks/hook-source.ts";
import { cancelCompaction } from "../session/abilities/context/active-compaction.ts";
import { shutdownData } from "../session/abilities/context/session-report.ts";
import { clientHooksOf, type EndReason, hasFileHooks } from "../session/abilities/hooks/session-hooks.ts";
import type { Session } from "../session/open/session.ts";
import { endSideWork } from "../session/open/side-work.ts";

export interface EndServices {
  /** Tells hooks that a session ends, before it does; resolves when they know. */
  readonly onEnd: (session: Session, reason: EndReason, hooks: readonly HookSource[]) => Promise<void>;
  readonly onWarning: (message: string, fields: Record<string, unknown>) => void;
  /** The session is no longer to be found here. */
  readonly forget: (session: Session) => void;
}

export interface EndOptions {
  readonly how: SessionEnd;
  /** Why it ends, for those who have hooks; default "complete". */
  readonly reason?: EndReason;
  /** Whose hooks are told; default those of the clients that are there. */
  readonly hooks?: readonly HookSource[];
}

/** Never rejects. The session must be neither ending nor recovering. */
export async function endSession(services: EndServices, session: Session, end: EndOptions): Promise<void> {
  session.closing = true;
  // It may be open elsewhere already: whoever comes is not to wait for what is left of it here.
  if (end.how === "lost") forget(services, session, end);
  const attempt = async (step: () => Promise<unknown>, failure: string) => {
    await step().catch((error) => services.onWarning(failure, { sessionId: session.id, error }));
  };
  await attempt(() => suspendWork(session), "what a session was doing could not be suspended in order");
  if (end.how === "closed" || end.how === "deleted")
    await attempt(
      () => tellHooks(services, session, end),
      "the hooks of a session that ends could not be told",
    );
  if (end.how === "closed")
    await attempt(() => logEnd(session, end), "a session could not be closed in order");
  await attempt(() => session.release(), "a session's lease could not be given back");
  if (end.how !== "lost") forget(services, session, end);
}

/** Ends what is under way so that it can be gone on with; resolves when all of it has written what it had to. */
export async function suspendWork(session: Session): Promise<void> {
  session.run?.controller.abort(new RunSuspended());
  await session.run?.done;
  await Promise.all([cancelCompaction(session), endSideWork(session)]);
}

async function tellHooks(
  services: EndServices,
  session: Session,
  { reason = "complete", hooks = clientHooksOf(session) }: EndOptions,
): Promise<void> {
  if (hooks.length === 0 && !hasFileHooks(session.settings)) return;
  await session.wake();
  await services.onEnd(session, reason, hooks);
}

async function logEnd(session: Session, { reason }: EndOptions): Promise<void> {
  await session.wake();
  // An interrupted run keeps its place in the log: no shutdown event, so that it can be gone on with.
  if (!session.state.running)
    session.append("session.shutdown", shutdownData(session, reason === "error" ? "error" : "routine"));
  session.updateSummary();
}

function forget(services: EndServices, session: Session, { how }: EndOptions): void {
  services.forget(session);
  session.announcements.announce("session-ended", { key: session.key, how });
}
