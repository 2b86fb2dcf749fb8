/**
 * A question beside the conversation: the model answers from the session's context and calls no tools,
 * and neither question nor answer becomes part of it.
 */
import { randomUUID } from "node:crypto";
import { RpcError } from "@rightseat/protocol";
import { askModel } from "../../../agent/ask-model.ts";
import { toQuestionRequest } from "../../../agent/model-request.ts";
import type { ContextCall } from "../../../agent/run-host.ts";
import type { ModelRequest } from "../../../models/model-provider.ts";
import type { RetryPolicy } from "../../../models/retry.ts";
import type { Session } from "../../open/session.ts";
import { doBeside } from "../../open/side-work.ts";
import { submitBeside } from "../hooks/prompt-hooks.ts";
import type { HookServices } from "../hooks/session-hooks.ts";
import { withoutOpenCalls } from "./compaction.ts";
import { type ModelCallServices, modelCallOf, toRpcError } from "./manual-compaction.ts";
import { recordLateUsage, type UsageServices } from "./usage-totals.ts";

export interface SideQuestionServices extends UsageServices, ModelCallServices {
  readonly retry: RetryPolicy;
  readonly hooks: HookServices;
}

const NO_CALLS = "(Answer in words: no tools can be called this time.)";

/**
 * Resolves with the answer; clients are told it as it comes, by ephemeral `ui.ephemeral_query` events. It
 * may be asked beside a run.
 * @param signal of the client that asks.
 * @throws RpcError `provider_rejected` when the model gives no answer, `denied_by_policy` when a hook blocks the
 *   question, `request_cancelled`.
 */
export async function askAside(
  services: SideQuestionServices,
  session: Session,
  question: string,
  signal: AbortSignal,
): Promise<string> {
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const requestId = randomUUID();
  session.emit("ui.ephemeral_query", { requestId, phase: "started" });
  try {
    const answer = await doBeside(session, controller, (stop) =>
      answerAside(services, session, { requestId, question, signal: stop }),
    );
    session.emit("ui.ephemeral_query", { requestId, phase: "completed", answer });
    return answer;
  } catch (error) {
    if (controller.signal.aborted) {
      session.emit("ui.ephemeral_query", { requestId, phase: "aborted" });
      throw new RpcError("request_cancelled", "the question was given up before it was answered");
    }
    const refusal = toRpcError(error);
    const why = refusal instanceof RpcError ? refusal.message : "an internal error";
    session.emit("ui.ephemeral_query", { requestId, phase: "failed", error: why });
    throw refusal;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

interface Aside {
  readonly requestId: string;
  readonly question: string;
  readonly signal: AbortSignal;
}

async function answerAside(
  services: SideQuestionServices,
  session: Session,
  { requestId, question, signal }: Aside,
): Promise<string> {
  const submitted = await submitBeside(services.hooks, session, question, signal);
  const call = await modelCallOf(services, session);
  signal.throwIfAborted();
  const startedMs = performance.now();
  const { content, usage } = await askModel(call.model.provider, requestOf(session, call, submitted), {
    signal,
    retry: services.retry,
    onText: (chunk) => session.emit("ui.ephemeral_query", { requestId, phase: "chunk", chunk }),
  });
  const durationMs = Math.round(performance.now() - startedMs);
  await recordLateUsage(services, session, { model: call.model.id, usage, durationMs, aside: true });
  return content.trim();
}

function requestOf(session: Session, { model, system, tools }: ContextCall, question: string): ModelRequest {
  const messages = withoutOpenCalls(session);
  // Some providers take a conversation with tool calls only when the tools are there, too.
  return messages.some((message) => message.role === "tool")
    ? toQuestionRequest({ model, system, tools }, messages, `${question}\n\n${NO_CALLS}`)
    : toQuestionRequest({ model, system, tools: [] }, messages, question);
}
