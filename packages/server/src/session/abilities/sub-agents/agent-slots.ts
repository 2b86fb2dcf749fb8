/**
 * How many sub-agents of a session work at a time. Each level has places of its own: an agent that waits
 * for one it started never keeps that one from a place.
 */
export class AgentSlots {
  readonly #most: () => number;
  readonly #working = new Map<number, number>();
  readonly #waiting = new Map<number, (() => void)[]>();

  /** @param most places a level; asked each time. */
  constructor(most: () => number) {
    this.#most = most;
  }

  /** Resolves when there is a place on the level. @throws the signal's reason. */
  async enter(depth: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waiting = this.#waiting.get(depth) ?? [];
    if (this.#count(depth) < this.#most() && waiting.length === 0) {
      this.#working.set(depth, this.#count(depth) + 1);
      return;
    }
    this.#waiting.set(depth, waiting);
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        waiting.splice(waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      const enter = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      waiting.push(enter);
    });
  }

  /** Gives the place to whoever waits longest, if anybody does. */
  leave(depth: number): void {
    const next = this.#waiting.get(depth)?.shift();
    if (next) next();
    else this.#working.set(depth, this.#count(depth) - 1);
  }

  #count(depth: number): number {
    return this.#working.get(depth) ?? 0;
  }
}
