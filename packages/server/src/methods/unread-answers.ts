/**
 * Clients' answers that were refused unread: too large, too deep, not UTF-8. Several SDKs swallow the error, and
 * what was asked would wait for an answer until its deadline; it ends here instead, with the reason.
 */
import type { FrameHead } from "@rightseat/protocol";
import type { MethodName } from "../rpc/method-types.ts";
import type { QuestionKind } from "../session/members/questions.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";

const ANSWERED_BY: Readonly<Record<string, QuestionKind>> = {
  "session.tools.handlePendingToolCall": "external-tool",
  "session.permissions.handlePendingPermissionRequest": "permission",
  "session.ui.handlePendingElicitation": "elicitation",
  "session.ui.handlePendingUserInput": "user-input",
  "session.ui.handlePendingExitPlanMode": "exit-plan-mode",
  "session.ui.handlePendingAutoModeSwitch": "auto-mode-switch",
  "session.ui.handlePendingSampling": "sampling",
  "session.ui.handlePendingSessionLimitsExhausted": "session-limits",
  "session.commands.handlePendingCommand": "command",
  "session.commands.respondToQueuedCommand": "queued-command",
} satisfies { readonly [M in MethodName]?: QuestionKind };

/** @param reason what was wrong with the answer, without a full stop. */
export function failUnreadAnswer(
  registry: Pick<SessionRegistry, "find">,
  tenant: string,
  { method, sessionId, requestId }: FrameHead,
  reason: string,
): void {
  if (method === undefined || sessionId === undefined || requestId === undefined) return;
  const kind = Object.hasOwn(ANSWERED_BY, method) ? ANSWERED_BY[method] : undefined;
  if (kind) registry.find({ tenant, sessionId })?.questions.fail(kind, requestId, reason);
}
