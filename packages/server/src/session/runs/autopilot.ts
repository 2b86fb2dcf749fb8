/** Going on by itself: on autopilot a run ends when the model says that its task is complete. */
import { randomUUID } from "node:crypto";
import type { RunOutcome } from "../../agent/agent-loop.ts";
import { AUTOPILOT_NUDGE } from "../../agent/mode-instructions.ts";
import { isOffered } from "../abilities/tools/offered-tools.ts";
import type { Session } from "../open/session.ts";

/** How often in a row the model may stop without having called a tool, unless its client says otherwise. */
const MAX_NUDGES = 5;

/** Tells that the run of a prompt has ended, when the session is on autopilot. */
export function tellAutopilotStopped(
  session: Session,
  run: { messageId: string; outcome: RunOutcome; taskComplete: boolean },
): void {
  if (session.state.mode !== "autopilot") return;
  const { messageId, outcome, taskComplete } = run;
  const reason = outcome === "done" ? (taskComplete ? "task_complete" : "stopped") : REASONS[outcome];
  session.emit("session.autopilot_stopped", { reason, requestId: messageId });
}

const REASONS = { aborted: "aborted", failed: "error", suspended: "suspended" } as const;

/**
 * Asks the model to go on. False when the session is not on autopilot, when the model has no way to say
 * that it is done, and when it has stopped too often.
 */
export function nudgeAutopilot(session: Session): boolean {
  const { mode, running } = session.state;
  // By the session's mode, not by one that a single message brought.
  if (mode !== "autopilot" || !running || !isOffered(session, "task_complete")) return false;
  const { continuationEnabled = true, maxContinues = MAX_NUDGES } = session.settings.autopilot ?? {};
  if (!continuationEnabled || (running.nudges ?? 0) >= maxContinues) return false;
  session.append("user.message", {
    content: "",
    messageId: randomUUID(),
    transformedContent: AUTOPILOT_NUDGE,
    delivery: "steering",
    agentMode: "autopilot",
    isAutopilotContinuation: true,
    attachments: [],
  });
  return true;
}
