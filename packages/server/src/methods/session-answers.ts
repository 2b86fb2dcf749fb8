/** Methods by which clients answer what a session asked; permissions have a file of their own. */
import type { ExternalToolRequestedData } from "@rightseat/protocol";
import type { PublishedEvent } from "../session/log/published-event.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

function toPending({ agentId, data }: PublishedEvent["event"]) {
  const { requestId, toolCallId, toolName, arguments: args } = data as ExternalToolRequestedData;
  return {
    requestId,
    toolCallId,
    toolName,
    ...(agentId !== undefined ? { agentId } : {}),
    ...(args !== undefined ? { arguments: args } : {}),
  };
}

export function sessionAnswerMethods(services: Services) {
  const ofSession = withSession(services);
  return {
    "session.tools.handlePendingToolCall": ofSession((session, params) => {
      const success = session.questions.answer("external-tool", params.requestId, {
        result: params.result,
        error: params.error,
      });
      return { success };
    }),
    "session.tools.listPendingRequests": ofSession((session) => ({
      items: session.questions.list("external-tool").map(({ event }) => toPending(event.event)),
    })),
  } satisfies Methods;
}
