/**
 * How long the messages of one tenant may keep the server from everybody else's: all are read, judged and answered on
 * one thread. A tenant whose messages take long is read later, so that they have a part of the time and no more, while
 * others have something to say; nothing is refused, and alone on the server it waits for nobody.
 */

/** What is carried out in less is nobody's to count: ordinary messages take a fraction of this. */
const FREE_MS = 2;
/** The part of the time that long messages of one tenant may take. */
const SHARE = 0.1;
/** How much time may be taken at once. */
const BURST_MS = 50;
/** A tenant that has said nothing for so long does not wait for anybody. */
const ACTIVE_MS = 10_000;

export class LoopShares {
  readonly #shares = new Map<string, LoopShare>();

  of(tenant: string): LoopShare {
    let share = this.#shares.get(tenant);
    if (!share) {
      share = new LoopShare((asking, nowMs) => this.#hasOthers(asking, nowMs));
      this.#shares.set(tenant, share);
    }
    return share;
  }

  #hasOthers(asking: LoopShare, nowMs: number): boolean {
    for (const share of this.#shares.values())
      if (share !== asking && nowMs - share.lastMs < ACTIVE_MS) return true;
    return false;
  }
}

export class LoopShare {
  readonly #hasOthers: (asking: LoopShare, nowMs: number) => boolean;
  /** When all that was counted would have been paid for, at the share that is allowed. */
  #paidUntilMs = Number.NEGATIVE_INFINITY;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  /** When something of the tenant was last carried out. */
  lastMs = Number.NEGATIVE_INFINITY;

  constructor(hasOthers: (asking: LoopShare, nowMs: number) => boolean) {
    this.#hasOthers = hasOthers;
  }

  /** For how long nothing of the tenant is to be carried out; 0 for not at all. */
  restMs(nowMs: number): number {
    return Math.max(0, this.#restUntilMs - nowMs);
  }

  /** Counts messages that were carried out in one go. */
  took(ms: number, nowMs: number): void {
    this.lastMs = nowMs;
    if (ms < FREE_MS) return;
    const begunMs = Math.max(this.#paidUntilMs, nowMs - BURST_MS / SHARE);
    this.#paidUntilMs = begunMs + ms / SHARE;
    if (this.#paidUntilMs > nowMs && this.#hasOthers(this, nowMs)) this.#restUntilMs = this.#paidUntilMs;
  }
}
