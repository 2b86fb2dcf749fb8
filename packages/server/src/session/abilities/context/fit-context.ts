/**
 * Keeps a run's requests inside the model's window: compacts in time, waits for a compaction when it
 * has to, and as a last resort leaves things out.
 */
import { type ContextUse, measureContext, promptLimit } from "../../../agent/context-use.ts";
import type { ContextCall } from "../../../agent/run-host.ts";
import { tokensOfMessages } from "../../../agent/tokens.ts";
import { applyTruncation, planTruncation } from "../../../agent/truncate-messages.ts";
import type { ModelMessage } from "../../../models/model-provider.ts";
import type { Conversation } from "../../open/conversation.ts";
import { type ActiveCompaction, activeCompaction } from "./active-compaction.ts";
import { type CompactionServices, startCompaction } from "./compaction.ts";

/** Shares of the window; what the SDKs document as the defaults. */
export const BACKGROUND_THRESHOLD = 0.8;
export const EXHAUSTION_THRESHOLD = 0.95;
/** Fewer messages are not worth a summary. */
const LEAST_MESSAGES = 3;
/** A truncated context has room for some turns, so that the provider's cache serves them. */
const TRUNCATE_TO = 0.8;
/** When a provider refuses a context that should have fitted, the window is smaller than is known. */
const SHRINK = 0.6;
/** What the conversation keeps of the window at least. */
const LEAST_SHARE = 0.25;

/** What to send with the next model call. */
export async function fitContext(
  services: CompactionServices,
  conversation: Conversation,
  call: ContextCall,
  signal: AbortSignal,
): Promise<readonly ModelMessage[]> {
  const limit = promptLimit(call.model);
  let use = measure(conversation, call);
  if (conversation.isSummarised) {
    const { session } = conversation;
    const { infiniteSessions } = session.settings;
    const compactFrom = limit * (infiniteSessions?.backgroundCompactionThreshold ?? BACKGROUND_THRESHOLD);
    const waitFrom = limit * (infiniteSessions?.bufferExhaustionThreshold ?? EXHAUSTION_THRESHOLD);
    if (
      !activeCompaction.of(session) &&
      use.currentTokens >= Math.min(compactFrom, waitFrom) &&
      isDue(conversation, use)
    )
      startCompaction(services, session, call, { trigger: "threshold" });
    const compaction = activeCompaction.of(session);
    if (compaction && use.currentTokens >= waitFrom) {
      await settled(compaction, signal);
      use = measure(conversation, call);
    }
  }
  if (use.currentTokens > limit) truncate(conversation, call, use, limit * TRUNCATE_TO);
  return conversation.state.messages;
}

/**
 * The provider found the context too long, whatever we think its window is.
 * @returns whether it is shorter now.
 */
export async function shortenContext(
  services: CompactionServices,
  conversation: Conversation,
  call: ContextCall,
  signal: AbortSignal,
): Promise<boolean> {
  const before = measure(conversation, call);
  if (conversation.isSummarised) {
    const { session } = conversation;
    const running =
      activeCompaction.of(session) ??
      startCompaction(services, session, call, { trigger: "context_limit_retry" });
    await settled(running, signal);
  }
  const use = measure(conversation, call);
  if (use.conversationTokens <= before.conversationTokens * SHRINK) return true;
  return truncate(conversation, call, use, Math.min(use.currentTokens, promptLimit(call.model)) * SHRINK);
}

function isDue(conversation: Conversation, use: ContextUse): boolean {
  const { messages, compactAgainAt = 0 } = conversation.state;
  return messages.length >= LEAST_MESSAGES && use.currentTokens >= compactAgainAt;
}

/** Waits for a compaction. @throws the signal's reason; the compaction goes on. */
async function settled({ done }: ActiveCompaction, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    void done.finally(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
  });
}

/** @returns whether there was anything to leave out. */
function truncate(
  conversation: Conversation,
  call: ContextCall,
  use: ContextUse,
  targetTokens: number,
): boolean {
  const { messages } = conversation.state;
  const around = use.systemTokens + use.toolDefinitionsTokens;
  // Where the provider counts more than we estimate, it will of the shorter context as well.
  const scale = Math.max(1, use.currentTokens / (around + use.conversationTokens));
  // Where system message and tools leave no room, taking the conversation's last words helps nobody.
  const budget = Math.max(targetTokens * LEAST_SHARE, targetTokens / scale - around);
  const plan = planTruncation(messages, budget);
  if (!plan) return false;
  const after = applyTruncation(messages, plan);
  const tokensAfter = tokensOfMessages(after);
  if (tokensAfter >= use.conversationTokens) return false;
  conversation.record("rightseat.truncated", plan);
  conversation.append("session.truncation", {
    tokenLimit: promptLimit(call.model),
    preTruncationTokensInMessages: use.conversationTokens,
    preTruncationMessagesLength: messages.length,
    postTruncationTokensInMessages: tokensAfter,
    postTruncationMessagesLength: after.length,
    tokensRemovedDuringTruncation: use.conversationTokens - tokensAfter,
    messagesRemovedDuringTruncation: messages.length - after.length,
    performedBy: "rightseat",
  });
  return true;
}

function measure({ state }: Conversation, call: ContextCall): ContextUse {
  return measureContext({ ...call, messages: state.messages, counted: state.counted });
}
