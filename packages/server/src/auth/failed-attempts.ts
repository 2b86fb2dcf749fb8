/**
 * Slows guessing down: after each failed attempt from an address the next one from there is judged later. Attempts
 * wait side by side, and never longer than the longest delay: one client behind a shared address (a proxy, a load
 * balancer) holds the others up for as long, and does not lock them out.
 */
import { networkOf } from "../strangers/network-of.ts";

export interface AttemptDelays {
  readonly firstMs: number;
  /** It doubles with each failure, up to this. */
  readonly longestMs: number;
}

const DEFAULT_DELAYS: AttemptDelays = { firstMs: 100, longestMs: 5_000 };
const FORGET_AFTER_MS = 10 * 60_000;
const MAX_ADDRESSES = 10_000;
/** How many attempts of one address wait at a time; with the delay that bounds how many are judged a second. */
const MAX_WAITING = 256;

export class FailedAttempts {
  /** Least recently failed first. */
  readonly #byAddress = new Map<string, { count: number; lastMs: number }>();
  /** How many attempts wait, by address. */
  readonly #waiting = new Map<string, number>();
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

  /**
   * Resolves when an attempt from this address may be judged: true; or false at once, when as many of it wait as
   * may.
   * @param onWait is told when it has to wait, and for how long
   */
  async turn(remoteAddress: string | undefined, onWait?: (waitMs: number) => void): Promise<boolean> {
    const address = networkOf(remoteAddress);
    const waitMs = this.#waitMs(address);
    if (waitMs <= 0) return true;
    const waiting = this.#waiting.get(address) ?? 0;
    if (waiting >= MAX_WAITING) return false;
    this.#waiting.set(address, waiting + 1);
    onWait?.(Math.ceil(waitMs));
    await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
    const left = (this.#waiting.get(address) ?? 1) - 1;
    if (left > 0) this.#waiting.set(address, left);
    else this.#waiting.delete(address);
    return true;
  }

  /** How long another attempt from there may have to wait, in milliseconds. */
  get longestMs(): number {
    return this.#delays.longestMs;
  }

  #waitMs(address: string): number {
    const known = this.#byAddress.get(address);
    return known ? known.lastMs + this.#delayAfter(known.count) - this.#now() : 0;
  }

  #delayAfter(count: number): number {
    return Math.min(this.#delays.firstMs * 2 ** (count - 1), this.#delays.longestMs);
  }

  /** Counts a failure; returns how long the next attempt from there has to wait, in milliseconds. */
  count(remoteAddress: string | undefined): number {
    this.#total += 1;
    const address = networkOf(remoteAddress);
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
    return this.#delayAfter(count);
  }
}
