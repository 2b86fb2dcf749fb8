/** Waits for what becomes of a prompt. */
import { DeadlineError, toError } from "../errors.ts";
import type { AssistantMessageEvent, SessionEvent } from "../types/messages.ts";

/**
 * Follows the events of a session from before a prompt is sent until the session is idle again. What
 * ends before the prompt was accepted belongs to another prompt.
 */
export class TurnWatch {
  readonly outcome: Promise<AssistantMessageEvent | undefined>;
  #resolve: (message: AssistantMessageEvent | undefined) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #messageId: string;
  #accepted = false;
  #last: AssistantMessageEvent | undefined;

  constructor(messageId: string) {
    this.#messageId = messageId;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A prompt that was refused leaves nobody to wait.
    this.outcome.catch(() => undefined);
  }

  /** The server has the prompt, and calls it by this id. */
  accepted(messageId: string): void {
    this.#messageId = messageId;
    this.#accepted = true;
  }

  /** Nothing will come any more. */
  fail(reason: Error): void {
    this.#reject(reason);
  }

  onEvent(event: SessionEvent): void {
    const { data, type } = event;
    if (type === "user.message" && (data as { messageId?: string }).messageId === this.#messageId) {
      this.#accepted = true;
      this.#last = undefined;
    } else if (type === "assistant.message") {
      if (event.agentId === undefined) this.#last = event;
    } else if (!this.#accepted) {
      return;
    } else if (type === "session.idle") {
      this.#resolve(this.#last);
    } else if (type === "session.error") {
      const error = new Error(data.message);
      if (data.stack !== undefined) error.stack = data.stack;
      this.#reject(error);
    }
  }
}

/** Rejects with "Timeout after …ms waiting for session.idle" or the signal's reason. */
export function withinLimits<T>(
  work: Promise<T>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => settle(() => reject(toError(signal?.reason)));
    const timer = setTimeout(
      () => settle(() => reject(new DeadlineError(`Timeout after ${timeoutMs}ms waiting for session.idle`))),
      timeoutMs,
    );
    const settle = (how: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      how();
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(toError(error))),
    );
  });
}
