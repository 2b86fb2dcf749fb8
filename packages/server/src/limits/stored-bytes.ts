/**
 * How much tenants have stored, for those who have a limit. Measuring looks at every session, so its
 * answer is used for a while: twenty times as long as it took, and ten seconds at the least.
 */
const LEAST_KEPT_MS = 10_000;
const KEPT_FACTOR = 20;
/** What was let in so shortly before a measurement may not be stored yet: no less is taken to be there than with it. */
const UNDER_WAY_MS = 500;

interface Measured {
  readonly bytes: Promise<number>;
  /** Once it is known. */
  measured?: number;
  untilMs: number;
  /** What was let in since, to be stored. */
  added: number;
  /** When something was last let in. */
  letInMs: number;
}

export class StoredBytes {
  readonly #measure: (tenant: string) => Promise<number>;
  readonly #now: () => number;
  readonly #leastKeptMs: number;
  readonly #known = new Map<string, Measured>();

  /** @param now milliseconds of a monotonic clock. */
  constructor(
    measure: (tenant: string) => Promise<number>,
    leastKeptMs: number = LEAST_KEPT_MS,
    now: () => number = () => performance.now(),
  ) {
    this.#measure = measure;
    this.#leastKeptMs = leastKeptMs;
    this.#now = now;
  }

  /** Bytes; as of some seconds ago. Rejects with the store's error. */
  of(tenant: string): Promise<number> {
    const known = this.#known.get(tenant);
    const begunMs = this.#now();
    if (known && begunMs < known.untilMs) {
      const { added } = known;
      return added === 0 ? known.bytes : known.bytes.then((bytes) => bytes + added);
    }
    const expected = known && begunMs - known.letInMs < UNDER_WAY_MS ? this.#expected(known) : 0;
    const measured: Measured = {
      bytes: Promise.all([this.#measure(tenant), expected]).then((both) => Math.max(...both)),
      untilMs: Number.POSITIVE_INFINITY,
      added: 0,
      letInMs: known?.letInMs ?? Number.NEGATIVE_INFINITY,
    };
    this.#known.set(tenant, measured);
    measured.bytes.then(
      (bytes) => {
        measured.measured = bytes;
        const endedMs = this.#now();
        measured.untilMs = endedMs + Math.max(this.#leastKeptMs, (endedMs - begunMs) * KEPT_FACTOR);
      },
      () => this.#known.delete(tenant),
    );
    return measured.bytes.then((bytes) => bytes + measured.added);
  }

  /**
   * Whether so much more may be stored; if so, it counts until it is measured. Nothing comes between the look and the
   * count: of many that ask at the same time no more are let in than there is room for.
   */
  async admits(tenant: string, bytes: number, maxBytes: number): Promise<boolean> {
    await this.of(tenant);
    const known = this.#known.get(tenant);
    // Measured anew meanwhile.
    if (known?.measured === undefined) return this.admits(tenant, bytes, maxBytes);
    const used = known.measured + known.added;
    if (used >= maxBytes || used + bytes > maxBytes) return false;
    known.added += bytes;
    if (bytes > 0) known.letInMs = this.#now();
    return true;
  }

  #expected({ bytes, added }: Measured): Promise<number> {
    return bytes.then((before) => before + added);
  }

  /** Something was deleted: measured anew the next time. */
  forget(tenant: string): void {
    this.#known.delete(tenant);
  }
}
