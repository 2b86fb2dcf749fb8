/**
 * Events as an async iterator. A reader that keeps up is handed what arrives. For one that does not, a
 * bounded number of events waits; beyond that the stream stops listening, and the reader gets the rest
 * from the server's log, page by page, at its own pace, until it has caught up. Durable events come to
 * it all, once and in order; what is not logged (deltas, progress) is left out while it lags.
 */
import { toError } from "../errors.ts";
import type { SessionEvent, SessionEventType } from "../types/messages.ts";
import { type LogPosition, PAGE_EVENTS, type ReadPage, readAfter } from "./log-reader.ts";
import { RecentSet } from "./recent-set.ts";

/** Which events a stream has, and how many may wait. */
export interface EventStreamOptions<K extends SessionEventType = SessionEventType> {
  /** Only these types; default all. */
  readonly types?: readonly K[];
  /** `now` (default), or `start` for everything in the log before what is to come. */
  readonly from?: "now" | "start";
  /** How many events may wait for the reader, at least 1; default 1024. */
  readonly bufferSize?: number;
  /** Ends the stream; reading then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface EventStreamSource {
  readonly read: ReadPage;
  /** Where the session's own stream of events is at this moment. */
  readonly position: () => LogPosition;
  /** Called once, when the stream is over. */
  readonly onEnd: (stream: EventStream) => void;
}

interface Reader {
  readonly resolve: (result: IteratorResult<SessionEvent, undefined>) => void;
  readonly reject: (error: Error) => void;
}

const DEFAULT_BUFFER_SIZE = 1024;
const END = { value: undefined, done: true } as const;

/** Events of a session, made by `session.events()`; read it with `for await`, or by hand. */
export class EventStream<E extends SessionEvent = SessionEvent>
  implements AsyncIterableIterator<E, undefined>
{
  readonly #source: EventStreamSource;
  readonly #options: EventStreamOptions;
  readonly #types: ReadonlySet<string> | undefined;
  readonly #bufferSize: number;
  readonly #readers: Reader[] = [];
  readonly #onAbort = () => this.end(toAbortError(this.#options.signal));
  #waiting: SessionEvent[] = [];
  /** Where to read on in the log; undefined while listening. */
  #lag: LogPosition | undefined;
  #reading = false;
  /** What was told since the page was asked for that is being read; undefined when it was too much. */
  #recent: SessionEvent[] | undefined;
  /** Events that were read from the log lately: they may be told once more. */
  #passed = new RecentSet(2 * PAGE_EVENTS);
  #over = false;
  #error: Error | undefined;

  constructor(source: EventStreamSource, options: EventStreamOptions = {}) {
    this.#source = source;
    this.#options = options;
    this.#types = options.types ? new Set(options.types) : undefined;
    this.#bufferSize = Math.max(1, options.bufferSize ?? DEFAULT_BUFFER_SIZE);
    if (Number.isNaN(this.#bufferSize)) throw new RangeError("bufferSize: expected a number, got NaN");
    const { from = "now" } = options;
    if (from !== "now" && from !== "start")
      throw new TypeError(`from: expected "now" or "start", got ${String(from)}`);
    if (from === "start") this.#lag = {};
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (options.signal?.aborted) this.#onAbort();
  }

  /** The next event of the session. */
  push(event: SessionEvent): void {
    if (this.#over) return;
    if (this.#lag) {
      if (this.#recent && this.#recent.length >= this.#bufferSize) this.#recent = undefined;
      this.#recent?.push(event);
    } else if (isDurable(event) && this.#passed.has(event.id)) {
      return;
    } else if (this.#waiting.length >= this.#bufferSize) {
      const { cursor, seen } = this.#source.position();
      const others = new Set(seen);
      others.delete(event.id);
      this.#lag = { cursor, seen: others };
    } else {
      this.#put(event);
      this.#serve();
    }
  }

  /** Nothing more will come; what waits can still be read. With an error, reading then rejects with it. */
  end(error?: Error): void {
    if (this.#over) return;
    this.#over = true;
    // What the reader has not got yet can be read no more.
    this.#error =
      error ?? (this.#lag ? new Error("the session was left before all its events were read") : undefined);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#source.onEnd(this);
    this.#serve();
  }

  /** The next event, waited for. Rejects when the stream ended with an error. */
  next(): Promise<IteratorResult<E, undefined>> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve: resolve as Reader["resolve"], reject });
      this.#serve();
    });
  }

  /** Ends the stream; what waits is dropped. */
  return(): Promise<IteratorResult<E, undefined>> {
    this.#waiting = [];
    this.#lag = undefined;
    this.end();
    return Promise.resolve(END);
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  #put(event: SessionEvent): void {
    if (!this.#types || this.#types.has(event.type)) this.#waiting.push(event);
  }

  #serve(): void {
    while (this.#readers.length > 0 && this.#waiting.length > 0)
      this.#readers.shift()?.resolve({ value: this.#waiting.shift() as SessionEvent, done: false });
    if (this.#readers.length === 0) return;
    if (this.#over) {
      for (const reader of this.#readers.splice(0)) {
        if (this.#error) reader.reject(this.#error);
        else reader.resolve(END);
      }
    } else if (this.#lag && !this.#reading) {
      void this.#readOn(this.#lag);
    }
  }

  /** Reads until somebody can be served, or the end of the log is where the session is. */
  async #readOn(from: LogPosition): Promise<void> {
    this.#reading = true;
    const read: ReadPage = (page) => {
      this.#recent = [];
      return this.#source.read(page);
    };
    try {
      for await (const { events, cursor, atEnd } of readAfter(read, from)) {
        if (this.#over) return;
        // Where the stream had read further than the session was told, it comes by the same events again.
        for (const event of events) if (this.#passed.add(event.id)) this.#put(event);
        this.#lag = { cursor, seen: from.seen };
        if (atEnd && this.#recent) this.#listenAgain(this.#recent);
        if (this.#waiting.length > 0 || this.#lag === undefined) break;
      }
    } catch (error) {
      this.end(error as Error);
    } finally {
      this.#reading = false;
      this.#recent = undefined;
    }
    this.#serve();
  }

  /** The end of the log was read: what was told since it was asked for follows. */
  #listenAgain(recent: readonly SessionEvent[]): void {
    const met = recent.findLastIndex((event) => isDurable(event) && this.#passed.has(event.id));
    for (const event of recent.slice(met + 1)) this.#put(event);
    this.#lag = undefined;
  }
}

function isDurable({ ephemeral }: SessionEvent): boolean {
  return ephemeral !== true;
}

function toAbortError(signal: AbortSignal | undefined): Error {
  return toError(signal?.reason);
}
