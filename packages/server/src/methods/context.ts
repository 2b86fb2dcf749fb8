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
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

/** Undefined while a provider or GitHub cannot tell which model the session has. @throws every other error again. */
function untold(error: unknown): undefined {
  if (error instanceof ModelError || error instanceof AccountError) return undefined;
  throw error;
}

function whenTold<T>(context: ReportedContext | undefined, report: (context: ReportedContext) => T) {
  return context === undefined ? undefined : report(context);
}

export function contextMethods(services: Services): Methods {
  const { runs } = services;
  const reported = async (params: ById & Limits, scope: Scope): Promise<ReportedContext | undefined> =>
    reportedContext(runs, await sessionOf(services, scope, params), params).catch(untold);
  return {
    "session.history.compact": async (
      params: ById & {
        customInstructions?: string;
        trigger?: "manual" | "model_switch";
        tokenLimit?: number;
      },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      const { customInstructions, trigger = "manual", tokenLimit } = params;
      return compactNow(runs, session, { customInstructions, trigger, tokenLimit });
    },
    "session.history.cancelBackgroundCompaction": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return { cancelled: await cancelCompaction(session, (trigger) => !isManual(trigger)) };
    },
    "session.history.abortManualCompaction": async (params: ById, scope: Scope) => ({
      aborted: await cancelCompaction(await sessionOf(services, scope, params), isManual),
    }),
    "session.history.summarizeForHandoff": async (params: ById, scope: Scope) => ({
      summary: await summarizeForHandoff(runs, await sessionOf(services, scope, params)),
    }),
    "session.metadata.contextInfo": async (params: ById & Limits, scope: Scope) => ({
      contextInfo: whenTold(await reported(params, scope), contextInfo) ?? null,
    }),
    "session.metadata.getContextAttribution": async (params: ById, scope: Scope) => ({
      contextAttribution: whenTold(await reported(params, scope), contextAttribution) ?? null,
    }),
    "session.metadata.getContextHeaviestMessages": async (params: ById & { limit?: number }, scope: Scope) =>
      whenTold(await reported(params, scope), (context) => heaviestMessages(context, params.limit)) ?? {
        totalTokens: 0,
        messages: [],
      },
    "session.metadata.recomputeContextTokens": async (params: ById, scope: Scope) =>
      contextTokens(await sessionOf(services, scope, params)),
    "session.ui.ephemeralQuery": async (params: ById & { question: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return { answer: await askAside(runs, session, params.question, scope.signal) };
    },
  };
}
