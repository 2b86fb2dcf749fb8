/** Methods by which clients put forms to people, and answer what a session asked of them. */
import { DIRECT_AUTO_MODE_SWITCH } from "../session/abilities/questions/auto-mode.ts";
import { elicit } from "../session/abilities/questions/elicitation.ts";
import type { QuestionKind } from "../session/members/questions.ts";
import { registerInterest, releaseInterest } from "../session/open/clients.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

/** A client's answer; the methods differ in which of the two they call it. */
interface ToQuestion {
  readonly sessionId: string;
  readonly requestId: string;
  readonly response?: unknown;
  readonly result?: unknown;
}

export function sessionUiMethods(services: Services) {
  const ofSession = withSession(services);
  const answers = (kind: QuestionKind) =>
    ofSession((session, params: ToQuestion) => ({
      success: session.questions.answer(kind, params.requestId, params.response ?? params.result),
    }));
  return {
    "session.ui.elicitation": ofSession((session, params, scope) => {
      const { message, mode, requestedSchema } = params;
      return elicit(session, { message, mode: mode ?? "form", requestedSchema }, scope.signal);
    }),
    "session.ui.registerDirectAutoModeSwitchHandler": ofSession((session, _params, scope) => ({
      handle: registerInterest(session, scope.link, DIRECT_AUTO_MODE_SWITCH),
    })),
    "session.ui.unregisterDirectAutoModeSwitchHandler": ofSession((session, params) => ({
      unregistered: releaseInterest(session, params.handle),
    })),
    "session.ui.handlePendingElicitation": answers("elicitation"),
    "session.ui.handlePendingUserInput": answers("user-input"),
    "session.ui.handlePendingExitPlanMode": answers("exit-plan-mode"),
    "session.ui.handlePendingAutoModeSwitch": answers("auto-mode-switch"),
    "session.ui.handlePendingSampling": answers("sampling"),
    "session.ui.handlePendingSessionLimitsExhausted": answers("session-limits"),
  } satisfies Methods;
}
