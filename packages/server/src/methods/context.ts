/** Methods about the model's context: `session.history.compact` and its like, figures of `session.metadata.*`, questions beside it. */
import { AccountError } from "../accounts/github-accounts.ts";
import { ModelError } from "../models/model-provider.ts";
import { cancelCompaction } from "../session/abilities/context/active-compaction.ts";
import {
  contextAttribution,
  contextInfo,
  contextTokens,
  heaviestMessages,
  type Limits,
  type ReportedContext,
  reportedContext,
} from "../session/abilities/context/context-report.ts";
import { compactNow, isManual, summarizeForHandoff } from "../session/abilities/context/manual-compaction.ts";
import { askAside } from "../session/abilities/context/side-question.ts";
import type { Session } from "../session/open/session.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

/** Undefined while a provider or GitHub cannot tell which model the session has. @throws every other error again. */
function untold(error: unknown): undefined {
  if (error instanceof ModelError || error instanceof AccountError) return undefined;
  throw error;
}

function whenTold<T>(context: ReportedContext | undefined, report: (context: ReportedContext) => T) {
  return context === undefined ? undefined : report(context);
}

export function contextMethods(services: Services) {
  const ofSession = withSession(services);
  const { runs } = services;
  const reported = (session: Session, limits?: Limits): Promise<ReportedContext | undefined> =>
    reportedContext(runs, session, limits).catch(untold);
  return {
    "session.history.compact": ofSession((session, params) => {
      const { customInstructions, trigger = "manual", tokenLimit } = params;
      return compactNow(runs, session, { customInstructions, trigger, tokenLimit });
    }),
    "session.history.cancelBackgroundCompaction": ofSession(async (session) => ({
      cancelled: await cancelCompaction(session, (trigger) => !isManual(trigger)),
    })),
    "session.history.abortManualCompaction": ofSession(async (session) => ({
      aborted: await cancelCompaction(session, isManual),
    })),
    "session.history.summarizeForHandoff": ofSession(async (session) => ({
      summary: await summarizeForHandoff(runs, session),
    })),
    "session.metadata.contextInfo": ofSession(async (session, params) => ({
      contextInfo: whenTold(await reported(session, params), contextInfo) ?? null,
    })),
    "session.metadata.getContextAttribution": ofSession(async (session) => ({
      contextAttribution: whenTold(await reported(session), contextAttribution) ?? null,
    })),
    "session.metadata.getContextHeaviestMessages": ofSession(
      async (session, params) =>
        whenTold(await reported(session), (context) => heaviestMessages(context, params.limit)) ?? {
          totalTokens: 0,
          messages: [],
        },
    ),
    "session.metadata.recomputeContextTokens": ofSession((session) => contextTokens(session)),
    "session.ui.ephemeralQuery": ofSession(async (session, params, scope) => ({
      answer: await askAside(runs, session, params.question, scope.signal),
    })),
  } satisfies Methods;
}
