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
/** A tenant that has said nothing for so long does not wait for anybody, and nobody waits for it. */
const ACTIVE_MS = 10_000;
/** Nobody rests longer: what they say meanwhile may be an abort, or an answer that others wait for. */
const LONGEST_REST_MS = 5_000;

export class LoopShares {
  /** A share is its connections': it goes with the last of them, and one that speaks is always found here. */
  readonly #shares = new Map<string, WeakRef<LoopShare>>();

  of(tenant: string): LoopShare {
    const known = this.#shares.get(tenant)?.deref();
    if (known) return known;
    for (const [other, share] of this.#shares) if (!share.deref()) this.#shares.delete(other);
    const share = new LoopShare((asking, nowMs) => this.#hasOthers(asking, nowMs));
    this.#shares.set(tenant, new WeakRef(share));
    return share;
  }

  #hasOthers(asking: LoopShare, nowMs: number): boolean {
    for (const ref of this.#shares.values()) {
      const share = ref.deref();
      if (share && share !== asking && nowMs - share.lastMs < ACTIVE_MS) return true;
    }
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
    const restMs = this.#restUntilMs - nowMs;
    return restMs > 0 && this.#hasOthers(this, nowMs) ? restMs : 0;
  }

  /** Counts messages that were carried out in one go. */
  took(ms: number, nowMs: number): void {
    this.lastMs = nowMs;
    if (ms < FREE_MS) return;
    // What was taken while nobody else wanted anything is nobody's loss.
    if (!this.#hasOthers(this, nowMs)) {
      this.#paidUntilMs = Number.NEGATIVE_INFINITY;
      return;
    }
    const begunMs = Math.max(this.#paidUntilMs, nowMs - BURST_MS / SHARE);
    this.#paidUntilMs = Math.min(begunMs + ms / SHARE, nowMs + LONGEST_REST_MS);
    if (this.#paidUntilMs > nowMs) this.#restUntilMs = this.#paidUntilMs;
  }
}
