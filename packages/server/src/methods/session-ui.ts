/** Methods by which clients put forms to people, and answer what a session asked of them. */
import { DIRECT_AUTO_MODE_SWITCH } from "../session/abilities/questions/auto-mode.ts";
import {
  type Elicitation,
  type ElicitationAnswer,
  elicit,
} from "../session/abilities/questions/elicitation.ts";
import type { QuestionKind } from "../session/members/questions.ts";
import { registerInterest, releaseInterest } from "../session/open/clients.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

export function sessionUiMethods(services: Services): Methods {
  const answers =
    (kind: QuestionKind) =>
    async (params: ById & { requestId: string; response?: unknown; result?: unknown }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const answer = params.response ?? params.result;
      return { success: session.questions.answer(kind, params.requestId, answer) };
    };
  return {
    "session.ui.elicitation": async (
      params: ById & Pick<Elicitation, "message" | "mode" | "requestedSchema">,
      scope: Scope,
    ): Promise<ElicitationAnswer> => {
      const session = await sessionOf(services, scope, params);
      const { message, mode, requestedSchema } = params;
      return elicit(session, { message, mode: mode ?? "form", requestedSchema }, scope.signal);
    },
    "session.ui.registerDirectAutoModeSwitchHandler": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return { handle: registerInterest(session, scope.link, DIRECT_AUTO_MODE_SWITCH) };
    },
    "session.ui.unregisterDirectAutoModeSwitchHandler": async (
      params: ById & { handle: string },
      scope: Scope,
    ) => ({ unregistered: releaseInterest(await sessionOf(services, scope, params), params.handle) }),
    "session.ui.handlePendingElicitation": answers("elicitation"),
    "session.ui.handlePendingUserInput": answers("user-input"),
    "session.ui.handlePendingExitPlanMode": answers("exit-plan-mode"),
    "session.ui.handlePendingAutoModeSwitch": answers("auto-mode-switch"),
    "session.ui.handlePendingSampling": answers("sampling"),
    "session.ui.handlePendingSessionLimitsExhausted": answers("session-limits"),
  };
}
