/**
 * Whether the server can do its work now, asked of what does it: the store takes a write, the sessions
 * are listed, the event loop turns, and it is not about to end.
 */
import type { LoopDelay } from "../metrics/loop-delay.ts";
import type { Store } from "../store/store.ts";

export interface ReadinessOptions {
  readonly store: Pick<Store, "check" | "catalogue">;
  /** A tenant whose sessions are listed as a test. */
  readonly tenant: string;
  readonly draining: () => boolean;
  readonly loopDelay: Pick<LoopDelay, "takeLongestMs">;
  /** Why calls that have to be audited are refused now; left out where nothing is audited. */
  readonly auditRefusal?: () => string | undefined;
}

export interface Readiness {
  readonly ready: boolean;
  /** By what was asked: "ok", or what is wrong with it. */
  readonly checks: Readonly<Record<string, string>>;
}

/** The store has this long to answer. */
const STORE_TIMEOUT_MS = 1_000;
/** A loop that stood still for this long since it was last asked is not one that serves. */
const MAX_LOOP_DELAY_MS = 1_000;
/** Answers are used again for this long: many who ask cost no more than one. */
const KEEP_MS = 500;

export class ReadinessProbe {
  readonly #options: ReadinessOptions;
  #last: { readonly atMs: number; readonly answer: Promise<Readiness> } | undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
  }

  check(): Promise<Readiness> {
    const now = performance.now();
    if (!this.#last || now - this.#last.atMs > KEEP_MS) this.#last = { atMs: now, answer: this.#ask() };
    return this.#last.answer;
  }

  async #ask(): Promise<Readiness> {
    const { auditRefusal, loopDelay } = this.#options;
    const delayMs = loopDelay.takeLongestMs();
    const checks = {
      draining: this.#options.draining() ? "the server is shutting down" : "ok",
      eventLoop: delayMs > MAX_LOOP_DELAY_MS ? `it stood still for ${Math.round(delayMs)} ms` : "ok",
      store: await this.#askStore(),
      ...(auditRefusal ? { auditLog: auditRefusal() ?? "ok" } : {}),
    };
    return { ready: Object.values(checks).every((check) => check === "ok"), checks };
  }

  async #askStore(): Promise<string> {
    const { store, tenant } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve(`no answer within ${STORE_TIMEOUT_MS} ms`), STORE_TIMEOUT_MS);
    });
    const asked = Promise.all([store.check(), store.catalogue.list(tenant, { limit: 1 })]).then(
      () => "ok",
      (error: Error) => error.message,
    );
    return Promise.race([asked, late]).finally(() => clearTimeout(timer));
  }
}
