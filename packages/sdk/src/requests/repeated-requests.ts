/**
 * Requests of the server that it may make twice: the connection went while the application was busy with
 * one, and the server asks the connection that comes after. The application is asked once.
 */

/** How long an answer that the server did not get is kept for the next connection. */
const KEPT_MS = 60_000;
const MOST_KEPT = 64;

interface Asked {
  readonly answer: Promise<unknown>;
  /** When the connection went that asked; undefined while it is there. */
  lostMs?: number;
}

export class RepeatedRequests {
  readonly #asked = new Map<string, Asked>();

  /** The answer of `work`, or of the one that is under way for the same request of a lost connection. */
  answer(method: string, params: unknown, signal: AbortSignal, work: () => unknown): Promise<unknown> {
    const key = `${method} ${JSON.stringify(params)}`;
    const before = this.#asked.get(key);
    if (before?.lostMs !== undefined && performance.now() - before.lostMs < KEPT_MS) {
      before.lostMs = undefined;
      return this.#watch(key, before, signal);
    }
    const asked: Asked = { answer: Promise.resolve().then(work) };
    // The same question twice on one connection is two questions.
    if (before && before.lostMs === undefined) return asked.answer;
    this.#asked.set(key, asked);
    this.#forgetOldest();
    return this.#watch(key, asked, signal);
  }

  /** Lets go of an answer once it is given on a connection that is there to carry it. */
  #watch(key: string, asked: Asked, signal: AbortSignal): Promise<unknown> {
    const onAbort = () => {
      asked.lostMs = performance.now();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    const done = () => {
      signal.removeEventListener("abort", onAbort);
      if (asked.lostMs === undefined && this.#asked.get(key) === asked) this.#asked.delete(key);
    };
    asked.answer.then(done, done);
    return asked.answer;
  }

  #forgetOldest(): void {
    if (this.#asked.size <= MOST_KEPT) return;
    const [oldest] = this.#asked.keys();
    this.#asked.delete(oldest as string);
  }
}
