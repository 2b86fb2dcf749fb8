/** Lets those who want the same thing have it one after the other. */
import { orAborted } from "./call-options.ts";

export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Resolves when it is one's turn, with the way to end it. Rejects with the signal's reason. */
  async take(key: string, signal: AbortSignal | undefined): Promise<() => void> {
    const before = this.#last.get(key);
    let end: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => {
      end = resolve;
    });
    const turn = before ? before.then(() => mine) : mine;
    this.#last.set(key, turn);
    void turn.then(() => {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    });
    try {
      if (before) await orAborted(before, signal);
      return end;
    } catch (error) {
      end();
      throw error;
    }
  }
}
