/**
 * How much tenants have stored, for those who have a limit. Measuring looks at every session, so its
 * answer is used for a while: twenty times as long as it took, and ten seconds at the least.
 */
const LEAST_KEPT_MS = 10_000;
const KEPT_FACTOR = 20;

interface Measured {
  readonly bytes: Promise<number>;
  untilMs: number;
  /** What was let in since, to be stored. */
  added: number;
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
    const measured: Measured = { bytes: this.#measure(tenant), untilMs: Number.POSITIVE_INFINITY, added: 0 };
    this.#known.set(tenant, measured);
    measured.bytes.then(
      () => {
        const endedMs = this.#now();
        measured.untilMs = endedMs + Math.max(this.#leastKeptMs, (endedMs - begunMs) * KEPT_FACTOR);
      },
      () => this.#known.delete(tenant),
    );
    return measured.bytes;
  }

  /** So much more will be stored: it counts until it is measured. */
  add(tenant: string, bytes: number): void {
    const known = this.#known.get(tenant);
    if (known) known.added += bytes;
  }

  /** Something was deleted: measured anew the next time. */
  forget(tenant: string): void {
    this.#known.delete(tenant);
  }
}
