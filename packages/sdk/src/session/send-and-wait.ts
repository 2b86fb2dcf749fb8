/** Sends a prompt and waits for its answer, also of one that was carried out before. */
import { withLimits } from "../call-options.ts";
import { markMaybeDone, toError } from "../errors.ts";
import { readAfter } from "../events/log-reader.ts";
import { after } from "../timer.ts";
import type { AssistantMessageEvent, SessionEvent } from "../types/messages.ts";
import type { SessionCore } from "./core.ts";
import type { SessionHold } from "./hold.ts";
import { PromptWatch } from "./prompt-watch.ts";

const DEFAULT_TURN_MS = 60_000;
/** A prompt whose turn begins is taken out of the queue a moment before that is told. */
const ASK_AFTER_MS = 30;

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
  let asking = Promise.resolve();
  const ask = (since: Since) => {
    asking = asking.then(() => lookUp(core, watch, since));
  };
  let stopAsking: (() => void) | undefined;
  const watch = new PromptWatch(message.messageId, () => {
    stopAsking ??= after(ASK_AFTER_MS, () => {
      stopAsking = undefined;
      ask("meanwhile");
    });
  });
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
        if (ownId && id === message.messageId) ask("before");
        else if (watch.mayHaveMissedEnd) ask("meanwhile");
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
    stopAsking?.();
    stopWatching();
    stopWaiting();
  }
}

const TELLING = ["user.message", "assistant.message", "session.error"];

/** Whether what became of the prompt may have been told before the wait began. */
type Since = "before" | "meanwhile";

/** Finds out what became of a prompt, where no event may tell. Never rejects. */
async function lookUp(core: SessionCore, watch: PromptWatch, since: Since): Promise<void> {
  if (watch.hasBegun || watch.isOver) return;
  watch.lookingUp();
  await findEarlier(core, watch, since).catch(() => undefined);
  watch.lookedUp();
}

/** What is over is in the log, which is asked last. */
async function findEarlier(core: SessionCore, watch: PromptWatch, since: Since): Promise<void> {
  const mayBegin = await core.mayBegin(watch.messageId);
  const earlier = new PromptWatch(watch.messageId);
  for await (const { events } of readAfter(core.reader({ types: TELLING }), {})) {
    for (const event of events) earlier.onEvent(event as SessionEvent);
    if (earlier.isOver || watch.hasBegun) break;
  }
  // Events may be told later than the server answers: what they tell is not taken from the log.
  await core.told();
  if (watch.hasBegun) return;
  if (!mayBegin && !earlier.hasBegun) {
    if (since === "before") watch.dropped();
    else watch.droppedMeanwhile();
    return;
  }
  if (!mayBegin && !earlier.isOver) earlier.end();
  watch.takeOver(earlier);
  if (watch.isOver || !earlier.isOver) return;
  await earlier.outcome.then(
    () => watch.end(),
    (error: Error) => watch.fail(error),
  );
}
