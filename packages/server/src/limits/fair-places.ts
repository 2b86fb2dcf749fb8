/**
 * Places for runs, when as many as may be are running. Those who wait are served tenant by tenant: the next
 * place goes to the tenant that has the fewest, among those to the one that was served longest ago, and
 * within it to runs that go on and had a place before, and then to the run that has waited longest. A tenant with a thousand
 * prompts does not hold up one with a single prompt.
 */
interface Waiting {
  readonly goesOn: boolean;
  readonly start: () => void;
}

export class FairPlaces {
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Map<string, Waiting[]>();
  /** When tenants that have or want places were last served; others were never. */
  readonly #served = new Map<string, number>();
  readonly #maxOf: (tenant: string) => number;
  #max: number;
  #inUse = 0;
  #waitingCount = 0;
  #turn = 0;

  /** @param maxOf how many places a tenant may have at once. */
  constructor(max: number, maxOf: (tenant: string) => number = () => Number.POSITIVE_INFINITY) {
    this.#max = max;
    this.#maxOf = maxOf;
  }

  get waiting(): number {
    return this.#waitingCount;
  }

  get full(): boolean {
    return this.#inUse >= this.#max;
  }

  takenBy(tenant: string): number {
    return this.#taken.get(tenant) ?? 0;
  }

  setMax(max: number): void {
    this.#max = max;
    this.#next();
  }

  /** Takes a place now; false when it has to be waited for. */
  tryTake(tenant: string): boolean {
    if (this.full || this.#waiting.has(tenant) || !this.#mayHaveMore(tenant)) return false;
    this.#take(tenant);
    return true;
  }

  /**
   * Waits for a place. Rejects with the signal's reason; then there is nothing to give back.
   * @param goesOn whether it has had one before, and gave it up only to wait for something else.
   */
  wait(tenant: string, signal: AbortSignal, goesOn = false): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        goesOn,
        start: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#remove(tenant, entry);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#queue(tenant, entry);
      this.#next();
    });
  }

  #queue(tenant: string, entry: Waiting): void {
    this.#waitingCount += 1;
    const queue = this.#waiting.get(tenant);
    if (!queue) {
      this.#waiting.set(tenant, [entry]);
      return;
    }
    const behind = entry.goesOn ? queue.findIndex(({ goesOn }) => !goesOn) : -1;
    queue.splice(behind < 0 ? queue.length : behind, 0, entry);
  }

  giveBack(tenant: string): void {
    this.#inUse -= 1;
    const left = this.takenBy(tenant) - 1;
    if (left > 0) this.#taken.set(tenant, left);
    else this.#taken.delete(tenant);
    this.#next();
    if (!this.#taken.has(tenant) && !this.#waiting.has(tenant)) this.#served.delete(tenant);
  }

  #mayHaveMore(tenant: string): boolean {
    return this.takenBy(tenant) < this.#maxOf(tenant);
  }

  #take(tenant: string): void {
    this.#inUse += 1;
    this.#taken.set(tenant, this.takenBy(tenant) + 1);
    this.#served.set(tenant, this.#turn++);
  }

  #next(): void {
    while (!this.full && this.#waitingCount > 0) {
      let chosen: { tenant: string; taken: number; served: number; entry: Waiting } | undefined;
      for (const [tenant, [entry]] of this.#waiting) {
        if (!entry || !this.#mayHaveMore(tenant)) continue;
        const candidate = {
          tenant,
          entry,
          taken: this.takenBy(tenant),
          served: this.#served.get(tenant) ?? -1,
        };
        if (!chosen || goesBefore(candidate, chosen)) chosen = candidate;
      }
      if (!chosen) return;
      this.#remove(chosen.tenant, chosen.entry);
      this.#take(chosen.tenant);
      chosen.entry.start();
    }
  }

  #remove(tenant: string, entry: Waiting): void {
    const queue = this.#waiting.get(tenant);
    const at = queue?.indexOf(entry) ?? -1;
    if (!queue || at < 0) return;
    queue.splice(at, 1);
    if (queue.length === 0) this.#waiting.delete(tenant);
    this.#waitingCount -= 1;
  }
}

function goesBefore(a: { taken: number; served: number }, b: { taken: number; served: number }): boolean {
  return a.taken === b.taken ? a.served < b.served : a.taken < b.taken;
}
