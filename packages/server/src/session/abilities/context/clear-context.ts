/** Begins the conversation anew from inside a tool: `session.history.clearContext`. */
import { randomUUID } from "node:crypto";
import { RpcError } from "@rightseat/protocol";
import type { Session } from "../../open/session.ts";

/**
 * Takes everything out of the model's context. The run ends when the tool calls that are under way do;
 * the prompt is the next run's. @returns how many messages went.
 * @throws RpcError `session_idle` when no tool call is under way.
 */
export async function clearContext(session: Session, prompt: string): Promise<number> {
  const { messages, openToolCalls } = session.state;
  if (session.run === undefined || !openToolCalls.some((call) => call.started)) {
    throw new RpcError(
      "session_idle",
      "the context can be cleared only from inside a tool call, and none is under way",
    );
  }
  const messagesCleared = messages.length;
  // In the log before the context goes, and in one write: a context without a prompt is never left behind.
  const first = { messageId: randomUUID(), prompt, steering: false };
  session.record("rightseat.prompt_queued", { prompt: first, first: true });
  session.append("session.context_cleared", { initialMessage: prompt, messagesCleared });
  session.emit("pending_messages.modified", {});
  await session.committed();
  return messagesCleared;
}
