/**
 * When GitHub's Copilot API says that the user's limit on a model is used up, the user may go on with
 * "auto", which chooses among the models that are left.
 */
import { randomUUID } from "node:crypto";
import type { ActiveModel } from "../../../agent/run-host.ts";
import type { ModelError } from "../../../models/model-provider.ts";
import type { Attachment } from "../../members/session-settings.ts";
import { applyModel } from "../../open/change-session.ts";
import { canAsk, someClient, watches } from "../../open/clients.ts";
import type { Session } from "../../open/session.ts";
import { askClient } from "./ask-client.ts";

const AUTO = "auto";
const REQUESTED = "auto_mode_switch.requested";
/** An interest of its own: its client answers the event, and is not to be asked by a request besides. */
export const DIRECT_AUTO_MODE_SWITCH = "auto_mode_switch.requested/direct";

type Choice = "yes" | "yes_always" | "no";

/** Whether the user can be offered another model after this error; if so, trying again would only wait. */
export function mayOfferAutoMode(session: Session, model: ActiveModel, error: ModelError): boolean {
  return (
    error.kind === "rate-limit" &&
    /^user_\w*rate_limited$/.test(error.errorCode ?? "") &&
    !model.isByok &&
    model.id !== AUTO &&
    (session.settings.continueOnAutoMode === true || canOffer(session))
  );
}

/** Asks, and switches. True when the session goes on with another model. */
export async function offerAutoMode(
  session: Session,
  error: ModelError,
  signal: AbortSignal,
): Promise<boolean> {
  const choice = session.settings.continueOnAutoMode ? "yes" : await ask(session, error, signal);
  if (choice === "no") return false;
  if (choice === "yes_always") session.say({ continueOnAutoMode: true });
  applyModel(session, { modelId: AUTO, cause: "rate_limit_auto_switch" });
  return true;
}

async function ask(session: Session, error: ModelError, signal: AbortSignal): Promise<Choice> {
  const requestId = randomUUID();
  const params = {
    ...(error.errorCode !== undefined ? { errorCode: error.errorCode } : {}),
    ...(error.retryAfterMs !== undefined ? { retryAfterSeconds: Math.ceil(error.retryAfterMs / 1000) } : {}),
  };
  const event = session.emit(REQUESTED, { requestId, ...params });
  const outcome = await askClient<Choice>(
    session,
    {
      kind: "auto-mode-switch",
      requestId,
      event,
      method: "autoModeSwitch.request",
      params,
      canAnswer: canAnswer(session),
      read: readChoice,
    },
    signal,
  );
  const response = outcome.kind === "answered" ? outcome.answer : "no";
  session.emit("auto_mode_switch.completed", { requestId, response });
  return response;
}

function canOffer(session: Session): boolean {
  return canAsk(session, REQUESTED, canAnswer(session)) || answersDirectly(session);
}

function canAnswer(session: Session): (attachment: Attachment) => boolean {
  return (attachment) => attachment.answersAutoModeSwitch && !answersDirectly(session);
}

function answersDirectly(session: Session): boolean {
  return someClient(session, (attachment) => watches(attachment, DIRECT_AUTO_MODE_SWITCH));
}

/** Either the word alone, or an object that holds it. */
function readChoice(answer: unknown): Choice | undefined {
  const said = typeof answer === "string" ? answer : (answer as { response?: unknown } | null)?.response;
  return said === "yes" || said === "yes_always" || said === "no" ? said : undefined;
}
