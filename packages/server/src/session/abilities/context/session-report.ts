/** Figures of a session for clients: what it used, as the wire shapes it. */
import type { SessionEventDataMap } from "@rightseat/protocol";
import type { Session } from "../../open/session.ts";
import { totalNanoAiu } from "./session-limits.ts";

/** What the session's own tools changed in files. */
function codeChanges({ state }: Session) {
  const { linesAdded = 0, linesRemoved = 0, files = [] } = state.codeChanges ?? {};
  return { linesAdded, linesRemoved, filesModified: files };
}

function modelMetrics(session: Session) {
  return Object.fromEntries(
    Object.entries(session.state.usageByModel).map(([model, usage]) => [
      model,
      {
        requests: { count: usage.requests, cost: 0 },
        usage: {
          inputTokens: usage.inputTokens,
          outputTokens: usage.outputTokens,
          cacheReadTokens: usage.cacheReadTokens,
          cacheWriteTokens: usage.cacheWriteTokens,
          reasoningTokens: usage.reasoningTokens,
        },
        ...(usage.nanoAiu ? { totalNanoAiu: usage.nanoAiu } : {}),
      },
    ]),
  );
}

function apiDurationMs(session: Session): number {
  return Object.values(session.state.usageByModel).reduce((sum, usage) => sum + usage.apiDurationMs, 0);
}

function nanoAiu({ state }: Session): { totalNanoAiu?: number } {
  const total = totalNanoAiu(state);
  return total > 0 ? { totalNanoAiu: total } : {};
}

export function shutdownData(
  session: Session,
  shutdownType: "routine" | "error",
): SessionEventDataMap["session.shutdown"] {
  const { state } = session;
  return {
    shutdownType,
    totalPremiumRequests: 0,
    ...nanoAiu(session),
    totalApiDurationMs: apiDurationMs(session),
    sessionStartTime: Date.parse(state.startTime) || 0,
    codeChanges: codeChanges(session),
    modelMetrics: modelMetrics(session),
    ...(state.model !== undefined ? { currentModel: state.model } : {}),
  };
}

/** The result of `session.usage.getMetrics`. */
export function usageMetrics(session: Session) {
  const { state } = session;
  const changes = codeChanges(session);
  return {
    totalPremiumRequestCost: 0,
    totalUserRequests: state.userRequests,
    ...nanoAiu(session),
    totalApiDurationMs: apiDurationMs(session),
    sessionStartTime: state.startTime,
    codeChanges: { ...changes, filesModifiedCount: changes.filesModified.length },
    modelMetrics: modelMetrics(session),
    ...(state.model !== undefined ? { currentModel: state.model } : {}),
    lastCallInputTokens: state.lastInputTokens,
    lastCallOutputTokens: state.lastOutputTokens,
  };
}
