/**
 * What a session may spend: AI credits of GitHub's Copilot API, as its answers tell them. Checked before
 * each model call, so that the last one may go over. Calls to other providers cost none.
 */
import { randomUUID } from "node:crypto";
import { RpcError, type SessionEventDataMap } from "@rightseat/protocol";
import type { ModelMessage } from "../../../models/model-provider.ts";
import { someClient, watches } from "../../open/clients.ts";
import type { Session } from "../../open/session.ts";
import type { SessionState } from "../../state/session-state.ts";

export interface SessionLimits {
  readonly maxAiCredits?: number;
}

type Response = SessionEventDataMap["session_limits_exhausted.completed"]["response"];

const NANO_AIU_PER_CREDIT = 1_000_000_000;
const EXHAUSTED = "session_limits_exhausted.requested";

/** Sets or, with null, removes the limits; what was spent stays spent. */
export function setSessionLimits(session: Session, limits: SessionLimits | null): void {
  const sessionLimits = limits?.maxAiCredits === undefined ? null : { maxAiCredits: limits.maxAiCredits };
  if (sessionLimits?.maxAiCredits === session.state.sessionLimits?.maxAiCredits) return;
  session.append("session.session_limits_changed", { sessionLimits });
}

/**
 * Resolves when a model call may be made. A client that acts on the event is asked what to do about a
 * limit that is reached. @throws RpcError `session_limit_reached`, or the signal's reason.
 */
export async function admitModelCall(session: Session, signal: AbortSignal): Promise<void> {
  while (isSpent(session.state)) {
    const response = await askWhatNow(session, signal);
    const { maxAiCredits = 0 } = session.state.sessionLimits ?? {};
    if (response.action === "add" && (response.additionalAiCredits ?? 0) > 0)
      setSessionLimits(session, { maxAiCredits: maxAiCredits + (response.additionalAiCredits ?? 0) });
    else if (response.action === "set" && response.maxAiCredits !== undefined)
      setSessionLimits(session, { maxAiCredits: response.maxAiCredits });
    else if (response.action === "unset") setSessionLimits(session, null);
    else throw limitReached(session.state);
  }
}

/** @throws RpcError `session_limit_reached`. */
export function refuseOverLimit({ state }: Session): void {
  if (isSpent(state)) throw limitReached(state);
}

/** What the model is told with each call, behind everything else; the wording is what recorded conversations hold. */
export function limitsStatus({ state }: Session): ModelMessage | undefined {
  const { maxAiCredits } = state.sessionLimits ?? {};
  if (maxAiCredits === undefined) return undefined;
  const remaining = rounded(Math.max(0, maxAiCredits - usedCredits(state)));
  return {
    role: "user",
    content: `<session_limits_status>\nRemaining session limits: ${remaining} AI credits. Later session_limits_status messages supersede earlier ones. Be frugal; avoid optional exploration and unnecessary tool calls.\n</session_limits_status>`,
    prompt: "",
  };
}

export function totalNanoAiu({ usageByModel }: SessionState): number {
  return Object.values(usageByModel).reduce((sum, usage) => sum + (usage.nanoAiu ?? 0), 0);
}

function usedCredits(state: SessionState): number {
  return totalNanoAiu(state) / NANO_AIU_PER_CREDIT;
}

function isSpent(state: SessionState): boolean {
  const { maxAiCredits } = state.sessionLimits ?? {};
  return maxAiCredits !== undefined && usedCredits(state) >= maxAiCredits;
}

/** Nobody to ask, and nobody in time, is a "cancel". */
async function askWhatNow(session: Session, signal: AbortSignal): Promise<Response> {
  const cancel: Response = { action: "cancel" };
  if (!someClient(session, (attachment) => watches(attachment, EXHAUSTED))) return cancel;
  const { maxAiCredits = 0 } = session.state.sessionLimits ?? {};
  const requestId = randomUUID();
  const data = { requestId, usedAiCredits: rounded(usedCredits(session.state)), maxAiCredits };
  const event = session.emit(EXHAUSTED, data);
  const outcome = await session.questions.ask<Response>({ requestId, kind: "session-limits", event }, signal);
  const response = outcome.kind === "answered" ? outcome.answer : cancel;
  session.emit("session_limits_exhausted.completed", { requestId, response });
  signal.throwIfAborted();
  return response;
}

function limitReached(state: SessionState): RpcError {
  const { maxAiCredits = 0 } = state.sessionLimits ?? {};
  const used = rounded(usedCredits(state));
  return new RpcError(
    "session_limit_reached",
    `the session has spent ${used} of ${maxAiCredits} AI credits: raise sessionLimits.maxAiCredits, or remove the limit, and send the prompt again`,
    { usedAiCredits: used, maxAiCredits },
  );
}

function rounded(credits: number): number {
  return Number(credits.toFixed(2));
}
