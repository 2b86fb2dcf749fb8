/** What became of a prompt whose run has ended, as the session's log tells it. */
import { RpcError } from "@rightseat/protocol";
import type { EventLog } from "../../store/event-log.ts";
import type { SessionEvent } from "../log/published-event.ts";
import type { Session } from "../open/session.ts";
import type { PromptEnd } from "./prompt-wait.ts";

interface Line {
  readonly id?: string;
  readonly type: string;
  readonly agentId?: string;
  readonly data?: {
    readonly messageId?: string;
    readonly outcome?: string;
    readonly message?: string;
    readonly originatingMessageId?: string;
  };
}

/**
 * The prompt's run ends with the first record of an end behind it, also where it steered another's.
 * @throws RpcError `run_failed` as the run did; `session_idle` when the log does not tell.
 */
export async function promptEndInLog(log: EventLog, session: Session, messageId: string): Promise<PromptEnd> {
  await session.committed();
  let hasBegun = false;
  let response: Line | undefined;
  let error: Line | undefined;
  for await (const batch of log.read(session.key, { to: session.end }))
    for (const { json } of batch) {
      if (!hasBegun && !json.includes(messageId)) continue;
      const line = JSON.parse(json) as Line;
      if (line.agentId !== undefined) continue;
      if (line.type === "user.message" && line.data?.messageId === messageId) hasBegun = true;
      else if (!hasBegun) continue;
      else if (line.type === "assistant.message") response = line;
      else if (line.type === "session.error" && line.data?.originatingMessageId !== undefined) error = line;
      else if (line.type === "rightseat.run_ended")
        return toEnd(messageId, line.data?.outcome, { response, error });
    }
  throw unknownEnd(messageId);
}

function toEnd(
  messageId: string,
  outcome: string | undefined,
  { response, error }: { response: Line | undefined; error: Line | undefined },
): PromptEnd {
  if (outcome === "failed" && error)
    throw new RpcError("run_failed", error.data?.message ?? "the run failed", {
      messageId,
      completionEventId: error.id,
    });
  if (outcome !== "done" && outcome !== "aborted") throw unknownEnd(messageId);
  const answer = response ? { response: response as unknown as SessionEvent<"assistant.message"> } : {};
  return { messageId, aborted: outcome === "aborted", ...answer };
}

function unknownEnd(messageId: string): RpcError {
  return new RpcError(
    "session_idle",
    `the prompt '${messageId}' was dealt with before; read the session's events`,
    { messageId },
  );
}
