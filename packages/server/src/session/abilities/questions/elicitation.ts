/** A form that one participant of a session puts to the person behind another client. */
import { randomUUID } from "node:crypto";
import { RpcError, type SessionEventDataMap, type UIElicitationResponse } from "@rightseat/protocol";
import { canAsk } from "../../open/clients.ts";
import type { Session } from "../../open/session.ts";

/** What is asked: the data of `elicitation.requested` without its id. */
export type Elicitation = Omit<SessionEventDataMap["elicitation.requested"], "requestId">;

export type ElicitationAnswer = Readonly<UIElicitationResponse>;

/**
 * Asks all clients by an event; the first answer counts. Nobody in time is a "cancel".
 * @param signal whoever asked has gone, or asks no more.
 * @throws RpcError `not_supported` when no client can show a form.
 */
export async function elicit(
  session: Session,
  elicitation: Elicitation,
  signal: AbortSignal,
): Promise<ElicitationAnswer> {
  if (!canAsk(session, "elicitation.requested", (attachment) => attachment.answersElicitation)) {
    throw new RpcError(
      "not_supported",
      "Elicitation is not supported by the clients of this session: attach one that has a handler for it (requestElicitation)",
    );
  }
  const requestId = randomUUID();
  const event = session.emit("elicitation.requested", { ...elicitation, requestId });
  const outcome = await session.questions.ask<ElicitationAnswer>(
    { requestId, kind: "elicitation", event },
    signal,
  );
  const answer: ElicitationAnswer = outcome.kind === "answered" ? outcome.answer : { action: "cancel" };
  const { action, content } = answer;
  session.emit("elicitation.completed", {
    requestId,
    action,
    ...(action === "accept" && content ? { content } : {}),
  });
  return answer;
}
