/** Methods by which clients answer what a session asked: tool calls, permissions. */

import type { PermissionDecision } from "../session/ask-permission.ts";
import type { ExternalToolAnswer } from "../session/custom-tool.ts";
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
    "session.permissions.handlePendingPermissionRequest": async (
      params: ById & { requestId: string; result: PermissionDecision },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      return { success: session.questions.answer("permission", params.requestId, params.result) };
    },
    "session.permissions.pendingRequests": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return {
        items: session.questions.list("permission").map((question) => ({
          requestId: question.requestId,
          request: (question.event.event.data as { promptRequest: unknown }).promptRequest,
        })),
      };
    },
    "session.permissions.setApproveAll": async (params: ById & { enabled: boolean }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      session.settings = { ...session.settings, approveAll: params.enabled };
      return { success: true };
    },
    "session.permissions.resetSessionApprovals": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      session.approvedTools.clear();
      return { success: true };
    },
  };
}
