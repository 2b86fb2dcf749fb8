/** One answer of a model outside the conversation: nothing of it is shown to clients. */
import {
  type ModelAnswer,
  ModelError,
  type ModelProvider,
  type ModelRequest,
} from "../models/model-provider.ts";
import { abortableSleep, nextRetryDelay, type RetryPolicy } from "../models/retry.ts";

export interface AskOptions {
  readonly signal: AbortSignal;
  readonly retry: RetryPolicy;
}

/** @throws ModelError when the budget of attempts is spent, or the signal's reason. */
export async function askModel(
  provider: ModelProvider,
  request: ModelRequest,
  { signal, retry }: AskOptions,
): Promise<ModelAnswer> {
  const startedMs = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const event of provider.generate(request, signal))
        if (event.type === "answer") return event.answer;
      throw new ModelError("network", "the model's answer ended before it was complete");
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ModelError)) throw error;
      const elapsedMs = performance.now() - startedMs;
      const delayMs = nextRetryDelay({ error, attempt, elapsedMs, policy: retry, random: Math.random });
      if (delayMs === undefined) throw error;
      await abortableSleep(delayMs, signal);
    }
  }
}
