/** One sequence of steps while it runs: who takes part, what was asked for, and what is known to be there. */
import type { CopilotClient } from "../../src/index.ts";
import type { Ledger, Prompt } from "./ledger.ts";
import type { Held, Participant } from "./participant.ts";

/** What all sequences share. */
export interface Stage {
  readonly serverPort: number;
  readonly modelUrl: string;
  readonly ledger: Ledger;
  /** A client that no network comes in the way of. */
  readonly directly: CopilotClient;
  /** Whether any client has the session, as the server sees it. */
  readonly isHeld: (sessionId: string) => Promise<boolean>;
  /** Nothing takes so long, however busy the machine is. */
  readonly settleMs: number;
  /** Unique among sequences. */
  readonly nextName: () => string;
}

export interface SessionFacts {
  readonly id: string;
  /** A call has said that it is there. */
  isMade: boolean;
  /** Somebody may have deleted it, or may yet: what is in its log cannot be known. */
  mayBeGone: boolean;
  /** Turns that were to be ended. */
  aborts: number;
  /** Calls to end one that may still reach the server. */
  aborting: number;
  readonly prompts: Prompt[];
}

/** A call that has not settled. */
interface Pending {
  readonly what: string;
  /** It lasts until its session is left. */
  readonly isReader: boolean;
  readonly settled: Promise<void>;
}

export class Scene {
  readonly stage: Stage;
  readonly name: string;
  readonly participants: Participant[] = [];
  readonly sessions = new Map<string, SessionFacts>();
  /** What happened, for whoever has to find out. */
  readonly trace: string[] = [];
  readonly failures: string[] = [];
  /** Faults of networks so far. */
  faults = 0;
  /** Turns faults that last a while off again. */
  readonly healing = new Set<Promise<void>>();
  readonly #pending = new Set<Pending>();
  readonly #startedMs = performance.now();
  #prompts = 0;

  constructor(stage: Stage) {
    this.stage = stage;
    this.name = stage.nextName();
  }

  facts(id: string): SessionFacts {
    const known = this.sessions.get(id);
    if (known) return known;
    const facts: SessionFacts = { id, isMade: false, mayBeGone: false, aborts: 0, aborting: 0, prompts: [] };
    this.sessions.set(id, facts);
    return facts;
  }

  nextToken(): string {
    this.#prompts += 1;
    return `${this.name}.${this.#prompts}`;
  }

  /** Objects that nobody has asked to leave. */
  get open(): Held[] {
    return this.participants.flatMap(({ held }) => held.filter(({ leaving }) => !leaving));
  }

  note(what: string): void {
    this.trace.push(`${Math.round(performance.now() - this.#startedMs)} ms: ${what}`);
  }

  fail(what: string): void {
    this.note(`WRONG: ${what}`);
    this.failures.push(what);
  }

  /** Follows a call to its end. `judge` says what is wrong with how it ended, if anything is. */
  call<T>(
    what: string,
    work: () => Promise<T>,
    judge: (outcome: { value: T } | { error: unknown }) => string | undefined,
    { isReader = false } = {},
  ): Promise<void> {
    this.note(what);
    const told = (outcome: { value: T } | { error: unknown }) => {
      this.note(`${what} → ${"error" in outcome ? show(outcome.error) : "done"}`);
      const wrong = judge(outcome);
      if (wrong !== undefined) this.fail(`${what}: ${wrong}`);
    };
    const settled = Promise.resolve()
      .then(work)
      .then(
        (value) => told({ value }),
        (error: unknown) => told({ error }),
      );
    const pending = { what, isReader, settled };
    this.#pending.add(pending);
    void settled.then(() => this.#pending.delete(pending));
    return settled;
  }

  /** Waits for all calls that are under way. Fails for those that do not settle. */
  async settled({ readers = false } = {}): Promise<void> {
    const awaited = [...this.#pending].filter(({ isReader }) => readers || !isReader);
    if (await within(this.stage.settleMs, Promise.all(awaited.map(({ settled }) => settled)))) return;
    for (const pending of awaited)
      if (this.#pending.has(pending)) this.fail(`${pending.what}: does not settle`);
    this.throwFailures();
  }

  /** Waits until the condition holds. False when it takes too long. */
  async until(condition: () => boolean | Promise<boolean>): Promise<boolean> {
    const startedMs = performance.now();
    while (!(await condition())) {
      if (performance.now() - startedMs > this.stage.settleMs) return false;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return true;
  }

  /** @throws Error that tells the whole story. */
  throwFailures(): void {
    if (this.failures.length === 0) return;
    throw new Error(`${this.failures.join("\n")}\n  ${this.trace.join("\n  ")}`);
  }
}

/** False when it takes longer. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function show(error: unknown): string {
  if (!(error instanceof Error)) return `no Error: ${String(error)}`;
  const maybe = (error as { maybeDone?: boolean }).maybeDone ? " (maybe done)" : "";
  return `${error.name}: ${error.message}${maybe}`;
}
