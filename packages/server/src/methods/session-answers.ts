/** Methods by which clients answer what a session asked; permissions have a file of their own. */
import type { ExternalToolAnswer } from "../session/tools/custom-tool.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
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
  };
}
