/** Built-in tools that are offered only while they make sense: by mode, and by what the clients can do. */

import type { Conversation } from "../../open/conversation.ts";
import type { Session } from "../../open/session.ts";
import { currentMode } from "../../open/session-mode.ts";
import { canAskUser, canReviewPlans } from "../questions/user-channel.ts";
import { isChosen } from "./tool-filter.ts";

/** Built-in tools that only sessions have which name them in `availableTools`. */
export const OPT_IN_TOOLS: ReadonlySet<string> = new Set(["report_intent"]);

const CONDITIONS: Readonly<Record<string, (session: Session) => boolean>> = {
  ask_user: canAskUser,
  exit_plan_mode: (session) => currentMode(session) === "plan" && canReviewPlans(session),
  task_complete: (session) => currentMode(session) === "autopilot",
  // Costs tokens with every call and tells little: for applications that ask for it by name.
  report_intent: ({ settings }) =>
    settings.availableTools?.some(
      (pattern) => pattern === "report_intent" || pattern === "builtin:report_intent",
    ) ?? false,
};

/** Whether a built-in tool makes sense just now, whatever the settings say of it. */
export function fitsNow(conversation: Conversation, name: string): boolean {
  if (!Object.hasOwn(CONDITIONS, name) || CONDITIONS[name]?.(conversation.session)) return true;
  // A call that has asked its question waits for the answer, whoever is there just now.
  return conversation.state.openToolCalls.some(
    (call) => call.name === name && call.questionRequestId !== undefined,
  );
}

/** Whether the model is offered a built-in tool. */
export function isOffered(session: Session, name: string): boolean {
  return isChosen(session, { name, source: "builtin" }) && fitsNow(session, name);
}
