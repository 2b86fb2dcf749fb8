/** How many connections may be lost without what was wanted of them. */
import { ConnectionError } from "../errors.ts";

/** Connections that one call, or one return, may wear out before time counts against it. */
const LOSSES_BEFORE_GIVING_UP = 8;

export class Losses {
  readonly #giveUpAfterMs: number;
  #count = 0;
  #firstMs = 0;

  constructor(giveUpAfterMs: number) {
    this.#giveUpAfterMs = giveUpAfterMs;
  }

  /** Counts one more; true when there is no use in going on. */
  areTooMany(): boolean {
    if (this.#count === 0) this.#firstMs = performance.now();
    this.#count += 1;
    return this.#count > LOSSES_BEFORE_GIVING_UP && performance.now() - this.#firstMs > this.#giveUpAfterMs;
  }
}

export function lostTooOften(method: string, cause: unknown): ConnectionError {
  return new ConnectionError(
    `Connection is closed: it was lost each time before ${method} was answered, and made again in vain`,
    { cause, maybeDone: true },
  );
}
