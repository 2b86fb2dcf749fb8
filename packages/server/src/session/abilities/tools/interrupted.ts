/** What was cut off in the middle, and is ended in the log so that it can be gone on with. */

import { INTERRUPTED } from "../../../agent/agent-loop.ts";
import type { Session } from "../../open/session.ts";
import { activeAgents } from "../agents/active-agents.ts";

/** Ends what a crash or a vanished client left open, so that the log can be gone on with. */
export function closeInterruptedRun(session: Session): void {
  const { running, openToolCalls } = session.state;
  for (const call of [...openToolCalls]) {
    session.append("tool.execution_complete", {
      toolCallId: call.toolCallId,
      success: false,
      result: { content: INTERRUPTED },
      error: { message: INTERRUPTED, code: "interrupted" },
    });
  }
  if (running)
    session.record("rightseat.run_ended", { messageId: running.messageId, outcome: "interrupted" });
}

/** Sub-agents that were cut off at work are over: nothing more is made of what they knew. */
export function closeInterruptedAgents(session: Session): void {
  if (activeAgents.of(session)?.working) return;
  for (const { agentId, ...named } of session.state.openAgents ?? [])
    session.append("subagent.failed", { ...named, error: "the server ended while it worked" }, agentId);
}
