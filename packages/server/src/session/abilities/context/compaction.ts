/**
 * Compactions of a session's context: asks the model for a summary and logs it. One at a time a
 * session, beside a run or on its own. Nothing of the history is read: the summary is made of the
 * context, and the log keeps everything.
 */
import { RpcError } from "@rightseat/protocol";
import { askModel } from "../../../agent/ask-model.ts";
import { compactionPrompt, toCheckpoint } from "../../../agent/compaction-summary.ts";
import { type ContextUse, measureContext, promptLimit } from "../../../agent/context-use.ts";
import { roomBeside, toQuestionRequest } from "../../../agent/model-request.ts";
import type { ContextCall } from "../../../agent/run-host.ts";
import { tokensOfMessages, tokensOfText } from "../../../agent/tokens.ts";
import { type ModelAnswer, ModelError, type ModelMessage } from "../../../models/model-provider.ts";
import type { RetryPolicy } from "../../../models/retry.ts";
import type { Session } from "../../open/session.ts";
import { compactedContext } from "../../state/context-state.ts";
import { type WrittenCheckpoint, writeCheckpointFile } from "../workspace/checkpoint-files.ts";
import {
  type ActiveCompaction,
  activeCompaction,
  CompactionCancelled,
  type CompactionOutcome,
  type CompactionTrigger,
  cancelCompaction,
} from "./active-compaction.ts";
import { recordUsage, type UsageServices } from "./usage-totals.ts";

export interface CompactionRequest {
  readonly trigger: CompactionTrigger;
  /** The user's words on what the summary should pay attention to. */
  readonly customInstructions?: string;
  /** The limit of the model that the context has to fit, where it is not the session's. */
  readonly tokenLimit?: number;
}

export interface CompactionServices extends UsageServices {
  readonly retry: RetryPolicy;
  readonly onBug: (error: unknown, session: Session) => void;
}

/** Begins one. The session must have none; what it is to be called with is what it is summarised with. */
export function startCompaction(
  services: CompactionServices,
  session: Session,
  context: ContextCall,
  request: CompactionRequest,
): ActiveCompaction {
  const controller = new AbortController();
  const done = carryOut(services, session, { ...context, ...request, signal: controller.signal }).finally(
    () => {
      forget();
      end();
      activeCompaction.set(session, undefined);
    },
  );
  const active = { trigger: request.trigger, controller, done };
  activeCompaction.set(session, active);
  const end = session.beginAside();
  const forget = session.whenGone(() => cancelCompaction(session));
  return active;
}

interface Work extends ContextCall, CompactionRequest {
  readonly signal: AbortSignal;
}

async function carryOut(
  services: CompactionServices,
  session: Session,
  work: Work,
): Promise<CompactionOutcome> {
  const tokenLimit = work.tokenLimit ?? promptLimit(work.model);
  const before = measure(session, work);
  let began = false;
  try {
    session.append("session.compaction_start", {
      model: work.model.id,
      systemTokens: before.systemTokens,
      conversationTokens: before.conversationTokens,
      toolDefinitionsTokens: before.toolDefinitionsTokens,
      currentTokens: before.currentTokens,
      tokenLimit,
      trigger: work.trigger,
    });
    began = true;
    const messages = withoutOpenCalls(session);
    const startedMs = performance.now();
    const answer = await summarise(services, work, messages);
    const durationMs = Math.round(performance.now() - startedMs);
    recordUsage(services, session, { model: work.model.id, usage: answer.usage, durationMs, aside: true });
    const summary = answer.content.trim();
    if (summary === "") throw new ModelError("invalid-request", "the model answered without a summary");
    if (session.state.compaction === undefined) throw new CompactionCancelled();
    const checkpoint = await keep(services, session, summary);
    return complete(session, { work, before, tokenLimit, summary, answer, durationMs, checkpoint });
  } catch (error) {
    if (!isExpected(error)) services.onBug(error, session);
    if (began) fail(session, { error, before, tokenLimit, trigger: work.trigger });
    return { success: false, use: before, messagesRemoved: 0, tokensRemoved: 0, tokenLimit, error };
  }
}

function isExpected(error: unknown): boolean {
  return error instanceof ModelError || error instanceof RpcError || error instanceof CompactionCancelled;
}

/** Tool calls that still run have no results, and providers want each call to have one. */
export function withoutOpenCalls(session: Session): readonly ModelMessage[] {
  const { messages, openToolCalls } = session.state;
  if (openToolCalls.length === 0) return messages.slice();
  const open = new Set(openToolCalls.map((call) => call.toolCallId));
  const end = messages.findIndex(
    (message) => message.role === "assistant" && message.toolCalls.some((call) => open.has(call.id)),
  );
  return messages.slice(0, end < 0 ? messages.length : end);
}

/** How much shorter the conversation gets each time that the model finds it too long to summarise. */
const SHRINK = 0.6;
const MOST_SHRINKS = 3;

async function summarise(
  services: CompactionServices,
  work: Work,
  messages: readonly ModelMessage[],
): Promise<ModelAnswer> {
  const question = compactionPrompt(work.customInstructions);
  let maxTokens = roomBeside(work, question);
  for (let shrinks = 0; ; shrinks += 1) {
    try {
      return await askModel(work.model.provider, toQuestionRequest(work, messages, question, maxTokens), {
        signal: work.signal,
        retry: services.retry,
      });
    } catch (error) {
      const tooLong = error instanceof ModelError && error.kind === "context-length";
      if (!tooLong || shrinks === MOST_SHRINKS) throw error;
      maxTokens = Math.min(maxTokens, tokensOfMessages(messages)) * SHRINK;
    }
  }
}

/** The file first: a summary in the log names it. Its number goes before it; see `stray-summaries.ts`. */
async function keep(
  services: CompactionServices,
  session: Session,
  summary: string,
): Promise<WrittenCheckpoint | undefined> {
  if (session.settings.infiniteSessions?.enabled === false) return undefined;
  try {
    return await writeCheckpointFile(session, toCheckpoint(summary), async (number) => {
      session.record("rightseat.summary_file", { number, by: "compaction" });
      await session.committed();
    });
  } catch (error) {
    // The context matters more than its copy.
    services.onBug(error, session);
    return undefined;
  }
}

interface Completed {
  readonly work: Work;
  readonly before: ContextUse;
  readonly tokenLimit: number;
  readonly summary: string;
  readonly answer: ModelAnswer;
  readonly durationMs: number;
  readonly checkpoint: WrittenCheckpoint | undefined;
}

function complete(session: Session, done: Completed): CompactionOutcome {
  const { work, summary, answer, tokenLimit } = done;
  const { state } = session;
  const cut = state.compaction?.cut ?? state.messages.length;
  const now = measure(session, work);
  const after = rescaled(
    measureContext({ ...work, messages: compactedContext(state, { cut, summary, tokenLimit }).messages }),
    now,
  );
  const messagesRemoved = Math.max(0, cut - 1);
  const tokensRemoved = Math.max(0, now.conversationTokens - after.conversationTokens);
  const usage = answer.usage;
  session.append("session.compaction_complete", {
    success: true,
    preCompactionTokens: now.currentTokens,
    postCompactionTokens: after.currentTokens,
    preCompactionMessagesLength: state.messages.length,
    messagesRemoved,
    tokensRemoved,
    summaryContent: summary,
    ...(work.customInstructions !== undefined ? { customInstructions: work.customInstructions } : {}),
    compactionTokensUsed: {
      // Some compatible servers report none, or zeros.
      inputTokens: usage?.inputTokens || now.currentTokens,
      outputTokens: usage?.outputTokens || tokensOfText(summary),
      cacheReadTokens: usage?.cacheReadTokens ?? 0,
      cacheWriteTokens: usage?.cacheWriteTokens ?? 0,
      duration: done.durationMs,
      model: work.model.id,
    },
    ...(answer.headers?.["x-github-request-id"] ? { requestId: answer.headers["x-github-request-id"] } : {}),
    ...(done.checkpoint
      ? { checkpointNumber: done.checkpoint.number, checkpointPath: done.checkpoint.path }
      : {}),
    systemTokens: after.systemTokens,
    conversationTokens: after.conversationTokens,
    toolDefinitionsTokens: after.toolDefinitionsTokens,
    tokenLimit,
    trigger: work.trigger,
  });
  return { success: true, use: after, messagesRemoved, tokensRemoved, tokenLimit, summary };
}

/** Where the provider counts more or less than we estimate, it will of the new context as well. */
function rescaled(estimate: ContextUse, counted: ContextUse): ContextUse {
  const { systemTokens, toolDefinitionsTokens, conversationTokens, currentTokens } = counted;
  const scale = currentTokens / (systemTokens + toolDefinitionsTokens + conversationTokens || 1);
  return {
    ...estimate,
    currentTokens: Math.max(estimate.conversationTokens, Math.round(estimate.currentTokens * scale)),
  };
}

interface Failed {
  readonly error: unknown;
  readonly before: ContextUse;
  readonly tokenLimit: number;
  readonly trigger: CompactionTrigger;
}

function fail(session: Session, { error, before, tokenLimit, trigger }: Failed): void {
  const known = isExpected(error);
  const status = error instanceof ModelError ? error.status : undefined;
  try {
    session.append("session.compaction_complete", {
      success: false,
      error: known ? (error as Error).message : "the compaction failed with an internal error",
      preCompactionTokens: before.currentTokens,
      ...(status !== undefined ? { statusCode: status } : {}),
      tokenLimit,
      trigger,
    });
  } catch {
    // The log takes nothing any more; whoever closes the session says so.
  }
}

function measure(session: Session, context: ContextCall): ContextUse {
  return measureContext({ ...context, messages: session.state.messages, counted: session.state.counted });
}

/** Tells the log that a compaction which a crash cut off is over. */
export function closeInterruptedCompaction(session: Session): void {
  if (session.state.compaction === undefined || activeCompaction.of(session)) return;
  session.append("session.compaction_complete", { success: false, error: "the compaction was interrupted" });
}
