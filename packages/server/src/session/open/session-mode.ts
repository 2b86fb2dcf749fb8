/** The mode that a session, and the run in it, works in. */

import type { SessionMode } from "../state/session-state.ts";
import type { Session } from "./session.ts";

/** A message may bring a mode of its own, for its run. */
export function currentMode(session: Session): SessionMode {
  return session.state.running?.agentMode ?? session.state.mode;
}

/**
 * Also ends the mode that the message of the run in progress brought.
 * False when it was so already.
 */
export function setMode(session: Session, newMode: SessionMode): boolean {
  const previousMode = currentMode(session);
  if (previousMode === newMode && session.state.mode === newMode) return false;
  session.append("session.mode_changed", { previousMode, newMode });
  return true;
}
