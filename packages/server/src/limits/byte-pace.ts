/**
 * How fast a tenant's clients may send. What goes beyond is not refused: it is left in the network until its time has
 * come. The bytes that one second allows may come at once.
 */
const BURST_MS = 1_000;

export class BytePace {
  /** When all that has come so far would have come at the pace that is allowed; milliseconds. */
  #paidUntilMs = Number.NEGATIVE_INFINITY;

  /** Counts what has come. @returns for how long nothing more is to be read, in milliseconds; 0 for not at all. */
  take(bytes: number, bytesPerSecond: number, nowMs: number): number {
    const begunMs = Math.max(this.#paidUntilMs, nowMs - BURST_MS);
    this.#paidUntilMs = begunMs + (bytes / bytesPerSecond) * 1_000;
    return Math.max(0, this.#paidUntilMs - nowMs);
  }
}
