/**
 * What a session's work waits for of its clients: answers to questions, hooks, tokens, and models' answers that a
 * client carries. Everything that is asked of a client on behalf of a run goes through here, so that the run holds
 * no place (`run-place.ts`) while nobody but clients has anything to do for it.
 */
import type { ActivePlace } from "./active-place.ts";

/** Whose work goes on when the answer comes: a tool call, a sub-agent between its calls, or the run between its own. */
export type Waiter = { readonly toolCallId: string } | { readonly agentId: string } | "run";

/** On whose behalf a client is asked, and until when. */
export interface Asking {
  /** Left out where no run goes on with the answer. */
  readonly waiter?: Waiter;
  readonly signal?: AbortSignal;
}

/**
 * What programs answer comes soon, mostly: within so long, in milliseconds, a run keeps its place, and so does not
 * queue behind others for each of a hundred hooks.
 */
const PATIENCE_MS = 250;

export class ClientWaits {
  /** How many waits a waiter has; undefined while there are none, as in most sessions most of the time. */
  #open: Map<string, number> | undefined;
  readonly #place: () => ActivePlace | undefined;

  /** @param place that of the session's run, while there is one. */
  constructor(place: () => ActivePlace | undefined) {
    this.#place = place;
  }

  has(waiter: Waiter): boolean {
    return this.#open?.has(keyOf(waiter)) ?? false;
  }

  begin(waiter: Waiter): void {
    const key = keyOf(waiter);
    this.#open ??= new Map();
    this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    this.#place()?.look();
  }

  /** The answer has come, or will not. Undefined when the waiter may go on; or a promise, which never rejects, until it may. */
  end(waiter: Waiter): Promise<void> | undefined {
    this.cancel(waiter);
    return this.#place()?.goOn();
  }

  /** The waiter does not go on. */
  cancel(waiter: Waiter): void {
    const key = keyOf(waiter);
    const left = (this.#open?.get(key) ?? 0) - 1;
    if (left > 0) this.#open?.set(key, left);
    else this.#open?.delete(key);
    if (this.#open?.size === 0) this.#open = undefined;
  }

  /**
   * Waits for what a program of a client answers; settles as that does, once the waiter may go on.
   * @param waiter left out where no run goes on with the answer.
   */
  async during<T>(waiter: Waiter | undefined, answer: () => Promise<T>): Promise<T> {
    if (waiter === undefined) return answer();
    let isOpen = false;
    const timer = setTimeout(() => {
      isOpen = true;
      this.begin(waiter);
    }, PATIENCE_MS);
    try {
      return await answer();
    } finally {
      clearTimeout(timer);
      const mayGoOn = isOpen ? this.end(waiter) : undefined;
      if (mayGoOn) await mayGoOn;
    }
  }
}

function keyOf(waiter: Waiter): string {
  if (waiter === "run") return waiter;
  return "agentId" in waiter ? `agent ${waiter.agentId}` : `call ${waiter.toolCallId}`;
}
