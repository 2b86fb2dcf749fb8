/**
 * Slows guessing down: each failed attempt from an address makes the answer to its next failure later.
 * Attempts that succeed are never held up, so that one client behind a shared address (a proxy, a load
 * balancer) cannot lock the others out.
 */
export interface AttemptDelays {
  readonly firstMs: number;
  /** It doubles with each failure, up to this. */
  readonly longestMs: number;
}

const DEFAULT_DELAYS: AttemptDelays = { firstMs: 100, longestMs: 5_000 };
const FORGET_AFTER_MS = 10 * 60_000;
const MAX_ADDRESSES = 10_000;

export class FailedAttempts {
  /** Least recently failed first. */
  readonly #byAddress = new Map<string, { count: number; lastMs: number }>();
  readonly #now: () => number;
  readonly #delays: AttemptDelays;
  #total = 0;

  /** @param now milliseconds of a monotonic clock. */
  constructor(delays: AttemptDelays = DEFAULT_DELAYS, now: () => number = () => performance.now()) {
    this.#delays = delays;
    this.#now = now;
  }

  /** All since the start. */
  get total(): number {
    return this.#total;
  }

  /** Counts a failure; returns how long its answer has to wait, in milliseconds. */
  count(address: string): number {
    this.#total += 1;
    const now = this.#now();
    const known = this.#byAddress.get(address);
    const count = known && now - known.lastMs < FORGET_AFTER_MS ? known.count + 1 : 1;
    this.#byAddress.delete(address);
    this.#byAddress.set(address, { count, lastMs: now });
    if (this.#byAddress.size > MAX_ADDRESSES) {
      for (const oldest of this.#byAddress.keys()) {
        this.#byAddress.delete(oldest);
        break;
      }
    }
    return Math.min(this.#delays.firstMs * 2 ** (count - 1), this.#delays.longestMs);
  }
}
