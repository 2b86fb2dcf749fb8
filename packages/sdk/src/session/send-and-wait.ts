/** Sends a prompt and waits for its answer, also of one that was carried out before. */
import { withLimits } from "../call-options.ts";
import { markMaybeDone, toError } from "../errors.ts";
import { readAfter } from "../events/log-reader.ts";
import type { AssistantMessageEvent, SessionEvent } from "../types/messages.ts";
import type { SessionCore } from "./core.ts";
import type { SessionHold } from "./hold.ts";
import { PromptWatch } from "./prompt-watch.ts";

const DEFAULT_TURN_MS = 60_000;

export interface PromptToAwait {
  readonly message: Readonly<Record<string, unknown>> & { readonly messageId: string };
  /** The application chose the id, and may have sent the prompt before. */
  readonly ownId: boolean;
  /** An answer of a form is wanted: what was said before the turn was aborted is none. */
  readonly wantsForm?: boolean;
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Rejects with "Timeout after …ms waiting for session.idle", the signal's reason, or the turn's error. */
export async function sendAndWait(
  core: SessionCore,
  hold: SessionHold,
  { message, ownId, wantsForm = false, timeoutMs = DEFAULT_TURN_MS, signal }: PromptToAwait,
): Promise<AssistantMessageEvent | undefined> {
  const watch = new PromptWatch(message.messageId);
  const stopWatching = core.watch((event) => watch.onEvent(event));
  const ended = new AbortController();
  let accepted = false;
  let givenUp = false;
  const giveUp = (reason: Error) => {
    givenUp = true;
    watch.fail(reason);
    ended.abort(reason);
  };
  // An error of its own: it says of this prompt alone whether it may be carried out.
  const stopWaiting = hold.onClosed((reason) => giveUp(new Error(reason.message, { cause: reason })));
  try {
    return await withLimits("session.idle", { timeoutMs, signal }, async (limit) => {
      limit?.addEventListener("abort", () => giveUp(toError(limit.reason)), { once: true });
      const limits = { signal: ended.signal, timeoutMs: Number.POSITIVE_INFINITY };
      const sent = core.send(message, limits).then((id) => {
        accepted = true;
        watch.accepted(id);
        // One that was carried out before is told by no event.
        if (ownId && id === message.messageId && !watch.hasBegun) void lookUp(core, watch, id);
        else if (watch.mayHaveMissedEnd) void endIfDropped(core, watch, id);
      });
      // The answer may be there before the server's word that it has the prompt.
      await Promise.race([sent, watch.outcome]);
      const answer = await watch.outcome;
      if (wantsForm && watch.wasAborted)
        throw new Error("the run was aborted before it had an answer of the schema's form");
      return answer;
    });
  } catch (error) {
    if (accepted && givenUp) markMaybeDone(error);
    throw error;
  } finally {
    stopWatching();
    stopWaiting();
  }
}

const TELLING = ["user.message", "assistant.message", "session.error"];

/** Looks in the log for a prompt whose turn was before this wait began. Never rejects. */
async function lookUp(core: SessionCore, watch: PromptWatch, messageId: string): Promise<void> {
  watch.lookingUp();
  await findEarlier(core, watch, messageId).catch(() => undefined);
  watch.lookedUp();
  await endIfDropped(core, watch, messageId);
}

/** A prompt that an abort took out of the queue is told by no event where that came before. Never rejects. */
async function endIfDropped(core: SessionCore, watch: PromptWatch, messageId: string): Promise<void> {
  if (watch.hasBegun || watch.isOver) return;
  const has = await core.mayBegin(messageId).catch(() => true);
  if (!has) watch.dropped();
}

async function findEarlier(core: SessionCore, watch: PromptWatch, messageId: string): Promise<void> {
  const earlier = new PromptWatch(messageId);
  for await (const { events } of readAfter(core.reader({ types: TELLING }), {})) {
    for (const event of events) earlier.onEvent(event as SessionEvent);
    if (earlier.isOver || watch.hasBegun) break;
  }
  if (!earlier.hasBegun || watch.hasBegun) return;
  watch.takeOver(earlier);
  if (watch.isOver) return;
  if (earlier.isOver) {
    earlier.outcome.then(
      () => watch.end(),
      (error: Error) => watch.fail(error),
    );
    return;
  }
  const { processing } = (await core.call("session.metadata.isProcessing")) as { processing: boolean };
  if (!processing) watch.end();
}
