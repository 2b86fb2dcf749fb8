/**
 * How long one address may say nothing while it is connected to. What takes long for another reason does not count
 * against it: the application gets a token, or the server said that it judges an attempt later.
 */
import { orAborted, withLimits } from "../call-options.ts";
import { DeadlineError, toError } from "../errors.ts";
import { after } from "../timer.ts";

export interface PatienceLimits {
  /** Milliseconds of silence. */
  readonly limitMs: number;
  /** Milliseconds that are given to a server which says that it answers later. */
  readonly mostMoreMs: number;
}

export class Patience {
  readonly #what: string;
  readonly #limitMs: number;
  readonly #mostMoreMs: number;
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onAbort = () => this.#controller.abort(toError(this.#outer.reason));
  #stop: () => void = () => undefined;

  constructor(what: string, { limitMs, mostMoreMs }: PatienceLimits, outer: AbortSignal) {
    this.#what = what;
    this.#limitMs = limitMs;
    this.#mostMoreMs = mostMoreMs;
    this.#outer = outer;
    outer.addEventListener("abort", this.#onAbort, { once: true });
    if (outer.aborted) this.#onAbort();
    this.waitOn(0);
  }

  /** Aborts when the address was silent for too long, or the attempt is not wanted any more. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on it has its whole time again, and so much more. */
  waitOn(moreMs: number): void {
    this.#stop();
    const message = `Timeout after ${this.#limitMs}ms waiting for ${this.#what}`;
    this.#stop = after(this.#limitMs + Math.min(moreMs, this.#mostMoreMs), () =>
      this.#controller.abort(new DeadlineError(message)),
    );
  }

  /** Waits for something that is not the address's affair, within a limit of its own. */
  async exempt<T>(what: string, work: Promise<T>, timeoutMs: number): Promise<T> {
    this.#stop();
    try {
      return await withLimits(what, { timeoutMs, signal: this.signal }, (limit) => orAborted(work, limit));
    } finally {
      this.waitOn(0);
    }
  }

  release(): void {
    this.#stop();
    this.#outer.removeEventListener("abort", this.#onAbort);
  }
}
