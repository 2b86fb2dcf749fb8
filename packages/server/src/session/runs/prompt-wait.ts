/** Waits for what becomes of one prompt, whatever else the session does. */

import { RpcError, type SessionEventDataMap, type SessionEventType } from "@rightseat/protocol";
import type { PublishedEvent, SessionEvent } from "../log/published-event.ts";
import type { ClientLink } from "../members/client-link.ts";
import type { Session } from "../open/session.ts";
import { Slot } from "../open/slot.ts";
import type { QueuedPrompt } from "../state/session-state.ts";

/** What a session's runs tell those who wait for what becomes of a prompt. */
interface RunWatcher {
  /** A run has begun; one of a notification goes on with what the prompt before it began in the background. */
  runBegan(messageId: string, isNotification: boolean): void;
  /** A suspended run goes on elsewhere, or later. */
  runEnded(messageId: string, how: "aborted" | "suspended" | "other"): void;
}

const runWatchers = new Slot<Set<RunWatcher>>();

export interface PromptEnd {
  readonly messageId: string;
  /** Its run was aborted, or it was taken out of the queue. */
  readonly aborted: boolean;
  /** The last answer to it. */
  readonly response?: SessionEvent<"assistant.message">;
  /** The event that told its end; left out when none did, or the one who waits is not told events. */
  readonly completionEventId?: string;
}

export function tellRunBegan(session: Session, { messageId, kind }: QueuedPrompt): void {
  for (const wait of runWatchers.of(session) ?? []) wait.runBegan(messageId, kind === "notification");
}

export function tellRunEnded(session: Session, messageId: string, outcome: string): void {
  const how = outcome === "aborted" || outcome === "suspended" ? outcome : "other";
  for (const wait of runWatchers.of(session) ?? []) wait.runEnded(messageId, how);
}

/** What wants to be waited for, and by whom. */
export interface WaitFor {
  readonly messageId: string;
  readonly link: ClientLink;
  /** Ends the wait, and nothing else. */
  readonly signal: AbortSignal;
}

export interface PromptWaiting {
  /** Rejects with an RpcError when the prompt's run failed, and with the signal's reason. */
  readonly end: Promise<PromptEnd>;
  /** The prompt was taken: it runs or waits. */
  taken(): void;
  /** It was not: nothing is waited for any longer. */
  refused(reason: unknown): void;
}

/**
 * Begins before the prompt is taken, so that nothing is missed. It ends with the first of: the prompt's run
 * failed; the session is idle after it; another prompt has its turn; it was taken out of the queue.
 */
export function waitForPrompt(session: Session, { messageId, link, signal }: WaitFor): PromptWaiting {
  /** The prompt's own run, or the one that it steers. */
  let runId = messageId;
  let isOver = false;
  let isTaken = false;
  let hasBegun = false;
  let aborted = false;
  let response: SessionEvent<"assistant.message"> | undefined;
  const { promise, resolve, reject } = withResolvers<PromptEnd>();

  const completion = (event?: SessionEvent) =>
    event && session.attachments.has(link) ? { completionEventId: event.id } : {};
  const finish = (event?: SessionEvent) =>
    resolve({ messageId, aborted, ...(response ? { response } : {}), ...completion(event) });
  const isMine = (id: string | undefined) => isOver || id === runId;
  const isWaiting = () => session.state.queue.some((waiting) => waiting.messageId === messageId);
  const isOpen = () => session.run?.messageId === runId || isWaiting();
  const endIfRemoved = async () => {
    if (!isTaken || hasBegun || isOpen()) return;
    // What it began may be on its way to the log, and told only then.
    await session.committed();
    if (hasBegun || isOpen()) return;
    aborted = true;
    finish();
  };

  const observers: {
    [T in SessionEventType]?: (data: SessionEventDataMap[T], event: SessionEvent<T>) => void;
  } = {
    "user.message": (data) => {
      if (data.messageId !== messageId) return;
      hasBegun = true;
      runId = session.run?.messageId ?? messageId;
    },
    "assistant.message": (data, event) => {
      if (isMine(data.originatingMessageId)) response = event;
    },
    // It is over without an answer once the session is idle.
    "session.warning": ({ warningType, originatingMessageId }) => {
      if (warningType === "policy_blocked" && originatingMessageId === messageId) hasBegun = true;
    },
    "session.error": ({ message, originatingMessageId }, event) => {
      if (originatingMessageId !== undefined && isMine(originatingMessageId))
        reject(new RpcError("run_failed", message, { messageId, ...completion(event) }));
    },
    "session.autopilot_stopped": ({ requestId, reason }, event) => {
      if (requestId !== messageId || reason === "error") return;
      aborted ||= reason === "aborted";
      finish(event);
    },
    "session.idle": (_data, event) => {
      if (hasBegun && !isOpen()) finish(event);
    },
    "pending_messages.modified": () => void endIfRemoved().catch(reject),
  };
  const wait: RunWatcher = {
    runBegan: (id, isNotification) => {
      if (id === messageId) hasBegun = true;
      else if (isOver && !isNotification) finish();
    },
    runEnded: (id, how) => {
      if (id !== runId) return;
      if (how === "suspended") return reject(letGo(session, messageId));
      isOver = true;
      aborted ||= how === "aborted";
    },
  };
  const stop = attach(session, wait, {
    onEvent: ({ event }) => {
      if (event.agentId === undefined) observers[event.type]?.(event.data as never, event as never);
    },
    onGone: () => reject(letGo(session, messageId)),
  });
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const end = promise.finally(() => {
    stop();
    signal.removeEventListener("abort", onAbort);
  });
  // A prompt that is refused leaves nobody to wait.
  end.catch(() => undefined);
  return {
    end,
    refused: reject,
    taken: () => {
      isTaken = true;
      endIfRemoved().catch(reject);
    },
  };
}

function attach(
  session: Session,
  wait: RunWatcher,
  { onEvent, onGone }: { onEvent: (event: PublishedEvent) => void; onGone: () => void },
): () => void {
  const watchers = runWatchers.ensure(session, () => new Set());
  watchers.add(wait);
  const stopObserving = session.observe(onEvent);
  const forget = session.whenGone(async () => onGone());
  return () => {
    stopObserving();
    forget();
    watchers.delete(wait);
    if (watchers.size === 0) runWatchers.set(session, undefined);
  };
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

function letGo(session: Session, messageId: string): RpcError {
  return new RpcError(
    "session_not_found",
    `the session ${session.id} was let go before the prompt was dealt with; resume it to go on`,
    { messageId },
  );
}
