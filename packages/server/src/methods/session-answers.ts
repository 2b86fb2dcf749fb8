/** Methods by which clients answer what a session asked; permissions have a file of their own. */
import type { ExternalToolRequestedData } from "@rightseat/protocol";
import type { ExternalToolAnswer } from "../session/abilities/tools/custom-tool.ts";
import type { PublishedEvent } from "../session/log/published-event.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

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

export function sessionAnswerMethods(services: Services): Methods {
  return {
    "session.tools.handlePendingToolCall": async (
      params: ById & { requestId: string } & ExternalToolAnswer,
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      const success = session.questions.answer("external-tool", params.requestId, {
        result: params.result,
        error: params.error,
      });
      return { success };
    },
    "session.tools.listPendingRequests": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return { items: session.questions.list("external-tool").map(({ event }) => toPending(event.event)) };
    },
  };
}
