/**
 * Threads that run SQL, for all sessions. A call that takes too long, or is aborted, ends its thread, and
 * with it whatever the call has done. Threads that have nothing to do end after a while.
 */
import { Worker } from "node:worker_threads";

/** One row's values in the order of the columns; null for SQL's NULL. */
export type SqlRow = readonly (string | null)[];

export interface StatementResult {
  /** The first word, in upper case. */
  readonly keyword: string;
  /** Empty for a statement that returns no rows. */
  readonly columns: readonly string[];
  readonly rows: readonly SqlRow[];
  /** There were more rows. */
  readonly isCut: boolean;
  /** Rows inserted, updated or deleted. */
  readonly changed: number;
  readonly lastRowId: number;
}

export interface RunResult {
  readonly statements: readonly StatementResult[];
  /** Tables that rows were written to. */
  readonly touched: readonly string[];
}

interface Place {
  /** Absolute path of the database's file. */
  readonly path: string;
  readonly maxBytes: number;
}

interface Requests {
  run: {
    params: Place & { sql: string; schema: string };
    result: RunResult;
  };
  read: {
    params: Place & { queries: readonly string[] };
    /** The rows of each query, at most 1,000; undefined when it failed or there is no database. */
    result: readonly (readonly Readonly<Record<string, unknown>>[] | undefined)[];
  };
}

/** What is wrong with the SQL, in words for who wrote it. Nothing was changed. */
export class SqlError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SqlError";
  }
}

const MAX_THREADS = 4;
const IDLE_MS = 10_000;

interface Call {
  readonly request: unknown;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const idle: SqlThread[] = [];
const waiting: Call[] = [];
let running = 0;

/**
 * @throws SqlError for what the SQL does wrong, taking longer than `timeoutMs` included; the signal's
 *   reason; Error when the file cannot be read or written.
 */
export function callSqlThread<K extends keyof Requests>(
  kind: K,
  params: Requests[K]["params"],
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
): Promise<Requests[K]["result"]> {
  return new Promise((resolve, reject) => {
    waiting.push({
      request: { kind, ...params },
      signal,
      timeoutMs,
      resolve: resolve as Call["resolve"],
      reject,
    });
    startWaiting();
  });
}

function startWaiting(): void {
  while (waiting.length > 0 && (idle.length > 0 || running < MAX_THREADS)) {
    const call = waiting.shift() as Call;
    if (call.signal.aborted) {
      call.reject(call.signal.reason);
      continue;
    }
    const thread = idle.pop() ?? new SqlThread();
    running += 1;
    void thread.carryOut(call).then(() => {
      running -= 1;
      if (thread.usable) thread.rest();
      startWaiting();
    });
  }
}

class SqlThread {
  readonly #worker: Worker;
  #idleTimer: NodeJS.Timeout | undefined;
  usable = true;

  constructor() {
    this.#worker = new Worker(new URL("./sql-worker.js", import.meta.url), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    });
    this.#worker.unref();
    const onGone = () => this.#end();
    this.#worker.on("error", onGone).on("exit", onGone);
  }

  /** Settles the call; resolves always. */
  carryOut(call: Call): Promise<void> {
    clearTimeout(this.#idleTimer);
    return new Promise((done) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        call.signal.removeEventListener("abort", onAbort);
        this.#worker.off("message", onMessage).off("exit", onExit).off("error", onError);
        settle();
        done();
      };
      const onMessage = (message: { result?: unknown; error?: string; isSql?: boolean }) =>
        finish(() => {
          if (message.error === undefined) call.resolve(message.result);
          else call.reject(message.isSql ? new SqlError(message.error) : new Error(message.error));
        });
      const giveUp = (error: unknown) => {
        this.#end();
        finish(() => call.reject(error));
      };
      const onAbort = () => giveUp(call.signal.reason);
      const onError = (error: unknown) => giveUp(error);
      const onExit = () => giveUp(new Error("the thread that ran the SQL has ended"));
      const timer = setTimeout(
        () => giveUp(new SqlError(`it took longer than ${call.timeoutMs / 1000} s and was ended`)),
        call.timeoutMs,
      );
      call.signal.addEventListener("abort", onAbort, { once: true });
      this.#worker.on("message", onMessage).on("exit", onExit).on("error", onError);
      this.#worker.postMessage({ request: call.request });
    });
  }

  rest(): void {
    idle.push(this);
    this.#idleTimer = setTimeout(() => this.#end(), IDLE_MS);
    this.#idleTimer.unref();
  }

  #end(): void {
    this.usable = false;
    clearTimeout(this.#idleTimer);
    const at = idle.indexOf(this);
    if (at >= 0) idle.splice(at, 1);
    void this.#worker.terminate();
  }
}
