/** One answer of a model outside the conversation: nothing of it is shown to clients. */
import {
  type ModelAnswer,
  ModelError,
  type ModelProvider,
  type ModelRequest,
} from "../models/model-provider.ts";
import { abortableSleep, MOST_REMEDIES, nextRetryDelay, type RetryPolicy } from "../models/retry.ts";

export interface AskOptions {
  readonly signal: AbortSignal;
  readonly retry: RetryPolicy;
  /** Told the answer's text as it comes; none of it twice. */
  readonly onText?: (delta: string) => void;
}

/** @throws ModelError when the budget of attempts is spent, or the signal's reason. */
export async function askModel(
  provider: ModelProvider,
  request: ModelRequest,
  { signal, retry, onText }: AskOptions,
): Promise<ModelAnswer> {
  const startedMs = performance.now();
  let told = "";
  let remedies = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      let text = "";
      for await (const event of provider.generate(request, signal)) {
        if (event.type === "answer") return event.answer;
        if (event.type !== "text" || !onText) continue;
        text += event.delta;
        // A later attempt that says the same is told from where the earlier one broke off.
        if (text.length <= told.length || !text.startsWith(told)) continue;
        onText(text.slice(told.length));
        told = text;
      }
      throw new ModelError("network", "the model's answer ended before it was complete");
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ModelError)) throw error;
      if (error.remedy !== undefined && remedies < MOST_REMEDIES) {
        remedies += 1;
        attempt -= 1;
        continue;
      }
      const elapsedMs = performance.now() - startedMs;
      const delayMs = nextRetryDelay({ error, attempt, elapsedMs, policy: retry, random: Math.random });
      if (delayMs === undefined) throw error;
      await abortableSleep(delayMs, signal);
    }
  }
}
