/** Compactions and summaries that a client asks for. */
import { RpcError } from "@rightseat/protocol";
import { askModel } from "../../../agent/ask-model.ts";
import { handoffPrompt } from "../../../agent/compaction-summary.ts";
import { toQuestionRequest } from "../../../agent/model-request.ts";
import type { ActiveModel, ContextCall, ToolSet } from "../../../agent/run-host.ts";
import { ModelError } from "../../../models/model-provider.ts";
import type { Asking, Waiter } from "../../members/client-waits.ts";
import type { SessionSettings } from "../../members/session-settings.ts";
import type { Session } from "../../open/session.ts";
import {
  activeCompaction,
  CompactionCancelled,
  type CompactionTrigger,
  cancelCompaction,
} from "./active-compaction.ts";
import {
  type CompactionRequest,
  type CompactionServices,
  startCompaction,
  withoutOpenCalls,
} from "./compaction.ts";
import { refuseOverLimit } from "./session-limits.ts";
import type { SessionSystemMessage } from "./system-message.ts";
import { recordLateUsage } from "./usage-totals.ts";

/** What is asked of a session's model as its next call would be. */
export interface ModelCallServices {
  /**
   * @param waiter what goes on with the model's answers; left out where no run does.
   * @throws RpcError or ModelError when the model cannot be had.
   */
  readonly resolveModel: (
    session: Session,
    settings: SessionSettings,
    waiter?: Waiter,
  ) => Promise<ActiveModel>;
  /** @param asking how long a client may be waited for, and what for. @throws the signal's reason. */
  readonly systemMessage: (session: Session, asking?: Asking) => Promise<SessionSystemMessage>;
  readonly toolSet: (session: Session) => ToolSet;
}

/** Compactions that somebody waits for. */
export function isManual(trigger: CompactionTrigger): boolean {
  return trigger === "manual" || trigger === "model_switch";
}

/**
 * Compacts now, also beside a run. One that began by itself makes way for it.
 * @throws RpcError `nothing_to_compact`, `session_busy` while another client's is under way,
 *   `request_cancelled` when it was aborted, `provider_rejected` when the model gave no summary.
 */
export async function compactNow(
  services: CompactionServices & ModelCallServices,
  session: Session,
  request: CompactionRequest,
) {
  if (session.state.messages.length === 0)
    throw new RpcError(
      "nothing_to_compact",
      "Nothing to compact: the session's context holds no messages yet.",
    );
  refuseOverLimit(session);
  const call = await modelCallOf(services, session);
  await cancelCompaction(session, (trigger) => !isManual(trigger));
  if (activeCompaction.of(session))
    throw new RpcError("session_busy", "a compaction is under way: wait for it, or abort it first");
  const outcome = await startCompaction(services, session, call, request).done;
  await session.committed();
  if (!outcome.success) throw toRpcError(outcome.error);
  const { use, tokenLimit } = outcome;
  return {
    success: true,
    tokensRemoved: outcome.tokensRemoved,
    messagesRemoved: outcome.messagesRemoved,
    summaryContent: outcome.summary,
    contextWindow: { tokenLimit, messagesLength: session.state.messages.length, ...use },
  };
}

/** Markdown for whoever goes on with the conversation elsewhere; empty when there is none yet. */
export async function summarizeForHandoff(
  services: CompactionServices & ModelCallServices,
  session: Session,
): Promise<string> {
  if (session.state.messages.length === 0) return "";
  refuseOverLimit(session);
  const call = await modelCallOf(services, session);
  const { model } = call;
  const request = toQuestionRequest(call, withoutOpenCalls(session), handoffPrompt());
  const startedMs = performance.now();
  // A run's abort is none of this; the session's end is.
  const controller = new AbortController();
  const release = session.whenGone(async () =>
    controller.abort(new RpcError("request_cancelled", "the session was closed")),
  );
  try {
    const answer = await askModel(model.provider, request, {
      signal: controller.signal,
      retry: services.retry,
    });
    const durationMs = Math.round(performance.now() - startedMs);
    await recordLateUsage(services, session, {
      model: model.id,
      usage: answer.usage,
      durationMs,
      aside: true,
    });
    return answer.content.trim();
  } catch (error) {
    throw toRpcError(error);
  } finally {
    release();
  }
}

/** What a model call of the session would go out with. @throws RpcError when there is no model. */
export async function modelCallOf(services: ModelCallServices, session: Session): Promise<ContextCall> {
  try {
    const model = await services.resolveModel(session, session.settings);
    const { text: system } = await services.systemMessage(session);
    return { model, system, tools: services.toolSet(session).definitions };
  } catch (error) {
    throw toRpcError(error);
  }
}

/** What a method may throw for it. */
export function toRpcError(error: unknown): unknown {
  if (error instanceof CompactionCancelled)
    return new RpcError("request_cancelled", "the compaction was aborted", {}, { cause: error });
  if (error instanceof ModelError)
    return new RpcError("provider_rejected", error.message, {}, { cause: error });
  return error;
}
