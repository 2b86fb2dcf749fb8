/** Commands of people that a server was killed under. */
import type { Session } from "../../open/session.ts";

/** Ends them in the log. */
export function closeCutOffToolCalls(session: Session): void {
  for (const toolCallId of session.state.userToolCalls ?? [])
    session.append("tool.execution_complete", {
      toolCallId,
      isUserRequested: true,
      success: false,
      error: { message: "The server ended before the command did.", code: "interrupted" },
    });
}
