/**
 * Says yes or no before work begins: how much a tenant may do, and how much the server takes on. What
 * is refused is refused at once (commands: when no other ends within a moment), with how long to wait. Counters are kept in memory: a restart begins
 * the minute and the day anew.
 */

import { RpcError } from "@rightseat/protocol";
import { BytePace } from "./byte-pace.ts";
import { FairPlaces } from "./fair-places.ts";
import { type LimitsConfig, limitsOf, type TenantLimitName, type TenantLimits } from "./limits-config.ts";
import { SlidingCount } from "./sliding-count.ts";
import { DEFAULT_MEMORY_BYTES, TenantMemory } from "./tenant-memory.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Places free themselves when others end: nobody knows when. */
const TRY_AGAIN_MS = 1_000;
/** A command is told as finished a moment before its processes are gone: so long a place is waited for. */
const ENDING_MS = 200;
const DEFAULT_WAITING_TURNS = 10_000;
/** More than honest runs need, however long they work. */
const DEFAULT_TURNS_PER_RUN = 2_000;
/** A model that waits for something by trying may try as often. */
const DEFAULT_IDENTICAL_FAILURES = 20;

class TenantUse {
  readonly turnsOfMinute = new SlidingCount(MINUTE_MS, 60);
  readonly received = new BytePace();
  readonly turnsOfDay = new SlidingCount(DAY_MS, 96);
  readonly tokensOfMinute = new SlidingCount(MINUTE_MS, 60);
  readonly tokensOfDay = new SlidingCount(DAY_MS, 96);
  processes = 0;
  /** Told when a process has given its place back. */
  readonly placeFreed = new Set<() => void>();
}

export interface AskedPrompts {
  /** How many; default 1. */
  readonly prompts?: number;
  /** Their size. */
  readonly bytes?: number;
  /** They call a model beside runs, and take no place. */
  readonly besideRuns?: boolean;
}

/** A keeper of what clients brought, in memory: the sessions, the connections. */
export interface MemoryHolder {
  /** About how many bytes it holds for a tenant. */
  heldBytes(tenant: string): number;
}

export interface GovernorOptions {
  readonly config: LimitsConfig;
  /** Whether a tenant's sessions may take up so much more in the store, of which they may have `maxBytes`; it counts then. */
  readonly mayStore: (tenant: string, bytes: number, maxBytes: number) => Promise<boolean>;
  /** A run waited so long for its place. */
  readonly onWaited: (ms: number) => void;
  /** Milliseconds, for tests; default: a monotonic clock. */
  readonly now?: () => number;
}

export class Governor {
  readonly #options: GovernorOptions;
  readonly #now: () => number;
  readonly #uses = new Map<string, TenantUse>();
  readonly #places: FairPlaces;
  readonly #memory: TenantMemory;
  readonly #holders: MemoryHolder[] = [];
  #config: LimitsConfig;

  constructor(options: GovernorOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#now = options.now ?? (() => performance.now());
    this.#memory = new TenantMemory({
      measure: (tenant) => this.#heldBytes(tenant),
      maxBytes: (tenant) => this.limits(tenant).memoryBytes ?? DEFAULT_MEMORY_BYTES,
      now: this.#now,
    });
    this.#places = new FairPlaces(
      options.config.server.runningTurns ?? Number.POSITIVE_INFINITY,
      (tenant) => this.limits(tenant).runningTurns ?? Number.POSITIVE_INFINITY,
    );
  }

  reload(config: LimitsConfig): void {
    this.#config = config;
    this.#places.setMax(config.server.runningTurns ?? Number.POSITIVE_INFINITY);
  }

  limits(tenant: string): TenantLimits {
    return limitsOf(this.#config, tenant);
  }

  /** When a run of the tenant is ended although its model would go on. */
  runLimits(tenant: string): { readonly turnsPerRun: number; readonly identicalFailures: number } {
    const limits = this.limits(tenant);
    return {
      turnsPerRun: limits.turnsPerRun ?? DEFAULT_TURNS_PER_RUN,
      identicalFailures: limits.identicalFailures ?? DEFAULT_IDENTICAL_FAILURES,
    };
  }

  /** Before a session is made or opened, with how many are open. @throws RpcError `limit_exceeded`. */
  admitSession(tenant: string, open: number): void {
    const { openSessions } = this.limits(tenant);
    if (openSessions !== undefined && open >= openSessions)
      throw exceeded("openSessions", openSessions, "sessions are open", TRY_AGAIN_MS);
  }

  /** Takes what it holds of what clients brought for memory of their tenants. */
  countMemoryOf(holder: MemoryHolder): void {
    this.#holders.push(holder);
  }

  #heldBytes(tenant: string): number {
    return this.#holders.reduce((bytes, holder) => bytes + holder.heldBytes(tenant), 0);
  }

  /** Whether a tenant's clients may bring so much more, or leave it unread. */
  mayHold(tenant: string, bytes: number): boolean {
    return this.#memory.admits(tenant, bytes);
  }

  /** Counts what a tenant's clients sent. @returns for how long nothing more of them is to be read, in milliseconds. */
  countReceived(tenant: string, bytes: number): number {
    const { bytesPerSecond } = this.limits(tenant);
    return bytesPerSecond === undefined
      ? 0
      : this.#use(tenant).received.take(bytes, bytesPerSecond, this.#now());
  }

  /** Before what a client brings is kept in memory. @throws RpcError `limit_exceeded`. */
  admitHolding(tenant: string, bytes: number): void {
    if (this.mayHold(tenant, bytes)) return;
    const max = this.limits(tenant).memoryBytes ?? DEFAULT_MEMORY_BYTES;
    throw exceeded("memoryBytes", max, "bytes of memory may be held; let sessions go", TRY_AGAIN_MS);
  }

  /** Before prompts are accepted; counts them: all, or none. @throws RpcError `limit_exceeded`. */
  async admitPrompt(
    tenant: string,
    { prompts = 1, bytes = 0, besideRuns = false }: AskedPrompts = {},
  ): Promise<void> {
    await this.admitStoring(tenant, bytes);
    const limits = this.limits(tenant);
    const use = this.#use(tenant);
    if (!besideRuns) this.#admitRun(tenant, limits);
    const now = this.#now();
    check(limits, "turnsPerMinute", use.turnsOfMinute, prompts, now);
    check(limits, "turnsPerDay", use.turnsOfDay, prompts, now);
    checkTokens(limits, use, now);
    use.turnsOfMinute.add(prompts, now);
    use.turnsOfDay.add(prompts, now);
  }

  /** Whether calls of models can be refused to the tenant. */
  limitsModelCalls(tenant: string): boolean {
    const { tokensPerMinute, tokensPerDay, storedBytes } = this.limits(tenant);
    return tokensPerMinute !== undefined || tokensPerDay !== undefined || storedBytes !== undefined;
  }

  /**
   * Before a model is called, whatever for: a turn, a sub-agent's, a compaction, a question aside.
   * @throws RpcError `limit_exceeded`.
   */
  async admitModelCall(tenant: string): Promise<void> {
    checkTokens(this.limits(tenant), this.#use(tenant), this.#now());
    await this.admitStoring(tenant);
  }

  #admitRun(tenant: string, limits: TenantLimits): void {
    const { server } = this.#config;
    if (this.#places.full && this.#places.waiting >= (server.waitingTurns ?? DEFAULT_WAITING_TURNS))
      throw new RpcError("limit_exceeded", "the server is full: as many runs wait as may; try again later", {
        limit: "waitingTurns",
        max: server.waitingTurns ?? DEFAULT_WAITING_TURNS,
        retryAfterMs: TRY_AGAIN_MS,
      });
    if (limits.runningTurns !== undefined && this.#places.takenBy(tenant) >= limits.runningTurns)
      throw exceeded("runningTurns", limits.runningTurns, "runs are in progress", TRY_AGAIN_MS);
  }

  /**
   * A place for a run; `leave` gives it back. Undefined when it was had at once, or a promise: rejects
   * with the signal's reason, and then there is nothing to give back.
   * @param goesOn whether it had one before: it goes before the tenant's runs that begin.
   */
  enter(tenant: string, signal: AbortSignal, goesOn = false): Promise<void> | undefined {
    if (this.#places.tryTake(tenant)) return undefined;
    const sinceMs = this.#now();
    return this.#places
      .wait(tenant, signal, goesOn)
      .then(() => this.#options.onWaited(this.#now() - sinceMs));
  }

  leave(tenant: string): void {
    this.#places.giveBack(tenant);
  }

  tokensUsed(tenant: string, tokens: number): void {
    const use = this.#use(tenant);
    const now = this.#now();
    use.tokensOfMinute.add(tokens, now);
    use.tokensOfDay.add(tokens, now);
  }

  /**
   * Before a process is started that may start more (a shell, a search, a hook): all that it starts counts as
   * one. The function gives the place back, when none of them is left; more than one call is one.
   * @throws RpcError `limit_exceeded`, after a moment in which none became free.
   */
  async takeProcess(tenant: string): Promise<() => void> {
    const { childProcesses = Number.POSITIVE_INFINITY } = this.limits(tenant);
    const use = this.#use(tenant);
    const untilMs = performance.now() + ENDING_MS;
    while (use.processes >= childProcesses) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0)
        throw exceeded(
          "childProcesses",
          childProcesses,
          "commands are running; end some first",
          TRY_AGAIN_MS,
        );
      await oneOf(use.placeFreed, leftMs);
    }
    use.processes += 1;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      use.processes -= 1;
      for (const freed of use.placeFreed) freed();
    };
  }

  /** The commands of all tenants. */
  get processes(): number {
    let processes = 0;
    for (const use of this.#uses.values()) processes += use.processes;
    return processes;
  }

  /**
   * Before more is stored. @param bytes how much comes with the request; counted until what is stored is measured.
   * @throws RpcError `limit_exceeded`.
   */
  async admitStoring(tenant: string, bytes = 0): Promise<void> {
    const { storedBytes } = this.limits(tenant);
    if (storedBytes === undefined) return;
    if (await this.#options.mayStore(tenant, bytes, storedBytes)) return;
    throw exceeded("storedBytes", storedBytes, "bytes may be stored; delete sessions", TRY_AGAIN_MS);
  }

  #use(tenant: string): TenantUse {
    let use = this.#uses.get(tenant);
    if (!use) {
      use = new TenantUse();
      this.#uses.set(tenant, use);
    }
    return use;
  }
}

const COUNTED = {
  turnsPerMinute: "prompts were sent in the last minute",
  turnsPerDay: "prompts were sent in the last day",
  tokensPerMinute: "tokens were used in the last minute",
  tokensPerDay: "tokens were used in the last day",
} as const;

function check(
  limits: TenantLimits,
  name: keyof typeof COUNTED,
  count: SlidingCount,
  amount: number,
  now: number,
): void {
  const max = limits[name];
  const waitMs = max === undefined ? 0 : count.waitFor(amount, max, now);
  if (waitMs > 0) throw exceeded(name, max as number, COUNTED[name], Math.ceil(waitMs));
}

function checkTokens(limits: TenantLimits, use: TenantUse, now: number): void {
  check(limits, "tokensPerMinute", use.tokensOfMinute, 1, now);
  check(limits, "tokensPerDay", use.tokensOfDay, 1, now);
}

function exceeded(limit: TenantLimitName, max: number, what: string, retryAfterMs: number): RpcError {
  return new RpcError("limit_exceeded", `the tenant's limit is reached: ${max} ${what} (${limit})`, {
    limit,
    max,
    retryAfterMs,
  });
}

/** Resolves when one of the set is called, or after `ms`. */
function oneOf(set: Set<() => void>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => called(), ms);
    const called = () => {
      clearTimeout(timer);
      set.delete(called);
      resolve();
    };
    set.add(called);
  });
}
