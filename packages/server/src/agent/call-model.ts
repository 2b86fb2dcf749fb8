/**
 * One model call of a run, with its retries. Deltas go out as they come, and none is ever shown
 * twice: after a stream that broke off half-way, the next attempt is shown only from where it says
 * something new, and as a new message when it says something else.
 */
import { randomUUID } from "node:crypto";
import {
  type ModelAnswer,
  ModelError,
  type ModelMessage,
  type ModelRequest,
} from "../models/model-provider.ts";
import { abortableSleep, MOST_REMEDIES, nextRetryDelay } from "../models/retry.ts";
import { toModelRequest } from "./model-request.ts";
import type { ActiveModel, ContextCall, RunHost } from "./run-host.ts";

export interface ModelCall extends ContextCall {
  readonly messages: readonly ModelMessage[];
  readonly turnId: string;
}

export interface ModelCallOutcome {
  readonly answer: ModelAnswer;
  readonly messageId: string;
}

/** Bytes of text between two `assistant.streaming_delta` events, which only tell progress. */
const PROGRESS_BYTES = 4096;

/** @throws ModelError when the budget of attempts is spent, or the signal's reason. */
export async function callModel(host: RunHost, call: ModelCall): Promise<ModelCallOutcome> {
  const shown = new ShownMessage(host);
  const startedMs = performance.now();
  const request = toRequest(host, call);
  let remedies = 0;
  for (let attempt = 1; ; attempt += 1) {
    const attemptMs = performance.now();
    try {
      const answer = await oneAttempt(host, call, request, shown);
      const durationMs = Math.round(performance.now() - attemptMs);
      reportUsage(host, call.model, answer, durationMs, shown.firstTextMs);
      return { answer, messageId: shown.messageId };
    } catch (error) {
      host.signal.throwIfAborted();
      if (!(error instanceof ModelError)) throw error;
      reportFailure(host, call.model, error, Math.round(performance.now() - attemptMs));
      if (error.remedy !== undefined && remedies < MOST_REMEDIES) {
        remedies += 1;
        host.append("session.warning", {
          warningType: "request_refused",
          message: error.remedy,
          originatingMessageId: host.messageId,
        });
        attempt -= 1;
        shown.beginAgain();
        continue;
      }
      if (host.canRecover?.(error)) throw error;
      const delayMs = nextRetryDelay({
        error,
        attempt,
        elapsedMs: performance.now() - startedMs,
        policy: host.retry,
        random: Math.random,
      });
      if (delayMs === undefined) throw error;
      host.emit("assistant.turn_retry", {
        turnId: call.turnId,
        model: call.model.id,
        reason: `${error.message}; attempt ${attempt + 1} in ${(delayMs / 1000).toFixed(1)} s`,
      });
      await abortableSleep(delayMs, host.signal);
      shown.beginAgain();
    }
  }
}

function toRequest(host: RunHost, call: ModelCall): ModelRequest {
  return toModelRequest(call, call.messages, {
    stream: host.streaming,
    userAgent: host.userAgent,
    citations: host.citations,
    isAgentInitiated: host.isAgentInitiated,
    responseFormat: host.responseFormat,
    headers: host.requestHeaders,
  });
}

async function oneAttempt(
  host: RunHost,
  call: ModelCall,
  request: ModelRequest,
  shown: ShownMessage,
): Promise<ModelAnswer> {
  for await (const event of call.model.provider.generate(request, host.signal)) {
    if (event.type === "text") shown.text(event.delta);
    else if (event.type === "reasoning") shown.reasoning(event.delta);
    else if (event.type === "answer") {
      shown.finish(event.answer.content);
      return event.answer;
    }
  }
  throw new ModelError("network", "the model's answer ended before it was complete");
}

/** What clients were shown of the message so far. */
class ShownMessage {
  messageId: string = randomUUID();
  /** Milliseconds of the monotonic clock; when the first text came. */
  firstTextMs: number | undefined;
  readonly #host: RunHost;
  #reasoningId: string = randomUUID();
  #started = false;
  #shown = "";
  #shownReasoning = "";
  /** Text of a later attempt that repeats what was shown. */
  #repeated: string | undefined;
  #repeatedReasoning: string | undefined;
  #bytes = 0;
  #reportedBytes = 0;

  constructor(host: RunHost) {
    this.#host = host;
  }

  /** The next attempt begins: hold back what it repeats. */
  beginAgain(): void {
    if (this.#shown.length > 0) this.#repeated = "";
    if (this.#shownReasoning.length > 0) this.#repeatedReasoning = "";
  }

  text(delta: string): void {
    this.firstTextMs ??= performance.now();
    const fresh = this.#repeated === undefined ? delta : this.#pastRepeated(delta);
    if (fresh === "") return;
    this.#start();
    this.#shown += fresh;
    this.#host.emit("assistant.message_delta", { messageId: this.messageId, deltaContent: fresh });
    this.#progress(fresh.length);
  }

  reasoning(delta: string): void {
    if (this.#repeatedReasoning !== undefined) {
      this.#repeatedReasoning += delta;
      if (this.#shownReasoning.startsWith(this.#repeatedReasoning)) return;
      const again = this.#repeatedReasoning;
      const goesOn = again.startsWith(this.#shownReasoning);
      const fresh = goesOn ? again.slice(this.#shownReasoning.length) : again;
      if (!goesOn) {
        this.#reasoningId = randomUUID();
        this.#shownReasoning = "";
      }
      this.#repeatedReasoning = undefined;
      this.#emitReasoning(fresh);
      return;
    }
    this.#emitReasoning(delta);
  }

  /** The answer is whole. One that ends inside what was shown before is a message of its own. */
  finish(content: string): void {
    if (this.#repeated !== undefined && content !== this.#shown) this.#startOver(content);
    this.#repeated = undefined;
    if (this.#shownReasoning.length > 0) {
      this.#host.append("assistant.reasoning", {
        reasoningId: this.#reasoningId,
        content: this.#shownReasoning,
      });
    }
  }

  #pastRepeated(delta: string): string {
    const again = (this.#repeated ?? "") + delta;
    if (this.#shown.startsWith(again)) {
      this.#repeated = again;
      return "";
    }
    this.#repeated = undefined;
    if (again.startsWith(this.#shown)) return again.slice(this.#shown.length);
    this.#startOver("");
    return again;
  }

  #startOver(content: string): void {
    this.messageId = randomUUID();
    this.#started = false;
    this.#shown = "";
    this.#repeated = undefined;
    if (content === "") return;
    this.#start();
    this.#shown = content;
    this.#host.emit("assistant.message_delta", { messageId: this.messageId, deltaContent: content });
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#host.emit("assistant.message_start", { messageId: this.messageId });
  }

  #emitReasoning(delta: string): void {
    if (delta === "") return;
    this.#shownReasoning += delta;
    this.#host.emit("assistant.reasoning_delta", { reasoningId: this.#reasoningId, deltaContent: delta });
  }

  #progress(length: number): void {
    this.#bytes += length;
    if (this.#reportedBytes > 0 && this.#bytes - this.#reportedBytes < PROGRESS_BYTES) return;
    this.#reportedBytes = this.#bytes;
    this.#host.emit("assistant.streaming_delta", { totalResponseSizeBytes: this.#bytes });
  }
}

/** As the wire has them, in the words of OpenAI's chat completions. */
const FINISH_REASONS: Readonly<Record<ModelAnswer["finishReason"], string>> = {
  stop: "stop",
  "tool-calls": "tool_calls",
  length: "length",
  "content-filter": "content_filter",
  other: "other",
};

function reportUsage(
  host: RunHost,
  model: ActiveModel,
  answer: ModelAnswer,
  durationMs: number,
  firstTextMs?: number,
): void {
  const { usage } = answer;
  if (usage) host.recordUsage(model.id, usage, durationMs);
  host.emit("assistant.usage", {
    model: model.id,
    inputTokens: usage?.inputTokens,
    outputTokens: usage?.outputTokens,
    cacheReadTokens: usage?.cacheReadTokens,
    cacheWriteTokens: usage?.cacheWriteTokens,
    reasoningTokens: usage?.reasoningTokens,
    duration: durationMs,
    ...(firstTextMs !== undefined
      ? { timeToFirstTokenMs: Math.max(0, Math.round(durationMs - (performance.now() - firstTextMs))) }
      : {}),
    initiator: "user",
    isByok: model.isByok,
    finishReason: FINISH_REASONS[answer.finishReason],
    ...(answer.finishReason === "content-filter" ? { contentFilterTriggered: true } : {}),
    ...(usage?.nanoAiu !== undefined ? { copilotUsage: { totalNanoAiu: usage.nanoAiu } } : {}),
    ...(answer.responseId ? { apiCallId: answer.responseId } : {}),
  });
}

function reportFailure(host: RunHost, model: ActiveModel, error: ModelError, durationMs: number): void {
  host.emit("model.call_failure", {
    model: model.id,
    source: "top_level",
    durationMs,
    isByok: model.isByok,
    errorMessage: error.message,
    ...(error.status !== undefined ? { statusCode: error.status } : {}),
    ...(error.errorCode !== undefined ? { errorCode: error.errorCode } : {}),
    ...(error.requestId !== undefined ? { providerCallId: error.requestId } : {}),
  });
}
