/**
 * The agent loop: context → model → tools → again, until the model asks for no more tools.
 *
 * It keeps no state of its own: what to do next follows from the log. Tool calls without a result
 * are run first, then the model is asked. A run that a crash cut off therefore goes on by
 * calling `runAgent` again.
 */
import { RpcError, type SessionEventDataMap } from "@rightseat/protocol";
import type { RunHooks } from "../hooks/run-hooks.ts";
import { ModelError } from "../models/model-provider.ts";
import { toReasoningFields, withOwnCallIds } from "./answer-record.ts";
import { callModel, type ModelCall, type ModelCallOutcome } from "./call-model.ts";
import { measureContext } from "./context-use.ts";
import { errorEvent, toFailure } from "./error-event.ts";
import { chooseLeftOut, isRefusal, LEFT_OUT_NAMES, leaveOut } from "./leave-out.ts";
import { type ActiveModel, type ContextCall, RunAborted, type RunHost, RunSuspended } from "./run-host.ts";
import { assertTurnLeft, RepeatedFailures } from "./run-limits.ts";
import { runToolCalls } from "./run-tool-calls.ts";
import { parsedOrText } from "./tool-call.ts";
import { usageInfo } from "./usage-info.ts";

export type RunOutcome = "done" | "aborted" | "failed" | "suspended";

/** Where a run is; what is not in the log. */
interface Progress {
  /** The number of the next turn, as clients are told. Begins anew when a hook has the agent go on. */
  turn: number;
  /** Turns of the whole run. */
  turns: number;
  readonly failures: RepeatedFailures;
  /** The turn that has begun and not ended. */
  turnId: string | undefined;
  /** Failures in a row that hooks had tried again. */
  retries: number;
  /** Answers in a row that were cut off at their length. */
  cuts: number;
}

/** How often the rest of an answer is asked for. */
const MAX_RESTS = 2;

/** Runs until the model is done, the run is aborted, or it failed; never throws. */
export async function runAgent(host: RunHost, firstTurn = 0): Promise<RunOutcome> {
  const progress: Progress = {
    turn: firstTurn,
    turns: firstTurn,
    failures: new RepeatedFailures(),
    turnId: host.pendingToolCalls().length > 0 ? String(Math.max(0, firstTurn - 1)) : undefined,
    retries: 0,
    cuts: 0,
  };
  for (;;) {
    try {
      await runTurns(host, progress);
      return "done";
    } catch (error) {
      if (host.signal.aborted) return endAborted(host, progress);
      if (!(error instanceof ModelError) && !(error instanceof RpcError)) host.onBug(error);
      const handling = await host.hooks?.onFailure(toFailure(error));
      if (host.signal.aborted) return endAborted(host, progress);
      if (handling && progress.retries < handling.retries) {
        progress.retries += 1;
        endTurn(host, progress);
        continue;
      }
      interruptOpenCalls(host, progress.turnId);
      endTurn(host, progress);
      if (!handling?.quiet)
        host.append("session.error", { ...errorEvent(error), originatingMessageId: host.messageId });
      return "failed";
    }
  }
}

/** @throws whatever ended the run before the model was done. */
async function runTurns(host: RunHost, progress: Progress): Promise<void> {
  for (;;) {
    if (host.pendingToolCalls().length > 0) {
      const { calls, end } = await runToolCalls(host, progress.turnId ?? String(progress.turn));
      endTurn(host, progress);
      host.signal.throwIfAborted();
      if (end === "refused") return;
      progress.failures.note(calls, host.limits);
      if (end === "terminal") {
        if (!host.hooks || !(await keepsGoing(host.hooks, progress))) return;
        continue;
      }
    }
    // A tool cleared the context: there is nothing to ask the model until the next prompt.
    if (host.messages().length === 0) return;
    host.signal.throwIfAborted();
    assertTurnLeft(host.limits, progress.turns);
    progress.turns += 1;
    await host.takeSteering();
    const turnId = String(progress.turn);
    progress.turnId = turnId;
    progress.turn += 1;
    const outcome = await oneTurn(host, turnId).catch((error) => recovered(host, error));
    if (outcome === undefined) {
      endTurn(host, progress);
      continue;
    }
    progress.retries = 0;
    if (outcome.answer.toolCalls.length > 0) continue;
    endTurn(host, progress, outcome.model.id);
    const { content, finishReason } = outcome.answer;
    progress.cuts = finishReason === "length" && content !== "" ? progress.cuts + 1 : 0;
    const wantsRest = progress.cuts > 0 && progress.cuts <= MAX_RESTS;
    if ((await host.takeSteering()) || (wantsRest && host.askForRest?.()) || host.nudge?.()) continue;
    if (!host.hooks || !(await keepsGoing(host.hooks, progress))) return;
  }
}

/** The agent comes to its natural end. True when a hook gave it something more to do. */
async function keepsGoing(hooks: RunHooks, progress: Progress): Promise<boolean> {
  if (!(await hooks.keepsGoing())) return false;
  progress.turn = 0;
  return true;
}

function endTurn(host: RunHost, progress: Progress, model?: string): void {
  const { turnId } = progress;
  if (turnId !== undefined) host.append("assistant.turn_end", { turnId, ...(model ? { model } : {}) });
  progress.turnId = undefined;
}

function endAborted(host: RunHost, progress: Progress): RunOutcome {
  const { reason } = host.signal;
  if (reason instanceof RunSuspended) return "suspended";
  interruptOpenCalls(host, progress.turnId);
  host.append("abort", { reason: reason instanceof RunAborted ? reason.reason : "user_initiated" });
  endTurn(host, progress);
  return "aborted";
}

async function oneTurn(host: RunHost, turnId: string): Promise<ModelCallOutcome & { model: ActiveModel }> {
  const model = await host.resolveModel();
  const system = await host.systemMessage(model);
  host.append("assistant.turn_start", { turnId, model: model.id });
  const call = { model, system, tools: host.tools().definitions };
  const outcome = await callFittingModel(host, call, turnId);
  const { messageId } = outcome;
  const answer = withOwnCallIds(outcome.answer, host.messages());
  if (answer.finishReason === "content-filter" && answer.content === "" && answer.toolCalls.length === 0) {
    throw new ModelError("invalid-request", "the provider's content filter withheld the answer");
  }
  // After tools a model may have nothing to add; a prompt wants an answer.
  const isAnswer = answer.content !== "" || answer.toolCalls.length > 0;
  if (!isAnswer && turnId === "0" && host.messages().at(-1)?.role === "user")
    throw new ModelError("server", NO_ANSWER[answer.finishReason === "length" ? "cut" : "empty"]);
  if (answer.finishReason === "content-filter")
    host.append("session.warning", {
      warningType: "content_filter",
      message: "The provider's content filter cut the answer off; what is there is not all of it.",
      originatingMessageId: host.messageId,
    });
  host.append("assistant.message", {
    messageId,
    originatingMessageId: host.messageId,
    model: model.id,
    content: answer.content,
    turnId,
    toolRequests: answer.toolCalls.map(toToolRequest),
    ...toReasoningFields(answer),
    ...(answer.citations
      ? { citations: answer.citations as SessionEventDataMap["assistant.message"]["citations"] }
      : {}),
    ...(answer.usage ? { outputTokens: answer.usage.outputTokens } : {}),
    ...(answer.responseId ? { apiCallId: answer.responseId } : {}),
    ...(answer.headers?.["x-github-request-id"] ? { requestId: answer.headers["x-github-request-id"] } : {}),
  });
  host.emit("session.usage_info", usageInfo(host.messages(), call, answer.usage));
  return { ...outcome, model };
}

const NO_ANSWER = {
  empty: "The model gave no answer. Send the prompt again.",
  cut: "The model came to the greatest length of an answer before it had said anything. Allow it more output, or less reasoning.",
};

/** Windows are known about, and tokens estimated: when the provider finds a conversation too long, it is right. */
async function callFittingModel(host: RunHost, call: ContextCall, turnId: string): Promise<ModelCallOutcome> {
  const messages = await host.fitContext(call);
  try {
    return await callModel(host, { ...call, messages, turnId });
  } catch (error) {
    if (mayBeTooLong(host, call, error)) {
      const shorter = await host.shortenContext(call);
      if (shorter) return callModel(host, { ...call, messages: shorter, turnId });
    }
    if (isRefusal(error)) return callWithout(host, { ...call, messages, turnId }, error);
    throw error;
  }
}

/** A refused conversation is tried once more in a run, without what may have been refused. */
async function callWithout(host: RunHost, call: ModelCall, refusal: ModelError): Promise<ModelCallOutcome> {
  const kinds = chooseLeftOut(call.messages, refusal, host.leftOutInVain ?? []);
  if (!kinds) throw refusal;
  host.append("session.warning", {
    warningType: "conversation_refused",
    message: `${refusal.message} The conversation is tried once more without its ${kinds.map((kind) => LEFT_OUT_NAMES[kind]).join(" and ")}.`,
    originatingMessageId: host.messageId,
  });
  try {
    const outcome = await callModel(host, { ...call, messages: leaveOut(call.messages, kinds) });
    host.leftOut?.(kinds, true);
    return outcome;
  } catch (error) {
    if (isRefusal(error)) host.leftOut?.(kinds, false);
    throw error;
  }
}

/** Some say no more than that a request is bad; one that fills much of the window is shortened once. */
function mayBeTooLong(host: RunHost, call: ContextCall, error: unknown): boolean {
  if (!(error instanceof ModelError)) return false;
  if (error.kind === "context-length") return true;
  if (error.kind !== "invalid-request" || !error.unexplained) return false;
  const { currentTokens } = measureContext({ ...call, messages: host.messages() });
  return currentTokens > call.model.contextWindowTokens * LARGE_SHARE;
}

/** A share of the model's window. */
const LARGE_SHARE = 0.5;

/** Resolves when the host found a way to go on. @throws the error otherwise. */
async function recovered(host: RunHost, error: unknown): Promise<undefined> {
  const canTry = error instanceof ModelError && !host.signal.aborted && host.canRecover?.(error);
  if (!canTry || !(await host.recover?.(error))) throw error;
  return undefined;
}

function toToolRequest(call: { id: string; name: string; arguments: string }) {
  return {
    toolCallId: call.id,
    name: call.name,
    // Arguments travel as the object they stand for; text that is none travels as it is.
    arguments: parsedOrText(call.arguments),
    type: "function" as const,
  };
}

/** What the model reads of a call that was cut off. The wording is what recorded conversations hold. */
export const INTERRUPTED = "The execution of this tool, or a previous tool was interrupted.";

function interruptOpenCalls(host: RunHost, turnId: string | undefined): void {
  for (const call of [...host.pendingToolCalls()]) {
    host.append("tool.execution_complete", {
      toolCallId: call.toolCallId,
      success: false,
      result: { content: INTERRUPTED },
      error: { message: INTERRUPTED, code: "interrupted" },
      ...(turnId !== undefined ? { turnId } : {}),
    });
  }
}
