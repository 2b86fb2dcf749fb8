import { StringDecoder } from "node:string_decoder";
import { isDeeperThan, MAX_JSON_DEPTH } from "@rightseat/protocol";
import { ANSWER_CAPS, tooLargeError } from "./answer-budget.ts";
import { parseErrorBody } from "./error-kind.ts";
import { toBrokenAnswerError, toDroppedStreamError, toStreamedError, toUnsentError } from "./errors.ts";
import { ModelError } from "./model-provider.ts";
import { createRedact, type Redact } from "./redact.ts";
import { findRequestId, keepRequestIds } from "./response-headers.ts";
import { SseParser } from "./sse.ts";

/** Silence for this long ends a request unless the settings say otherwise. */
export const DEFAULT_IDLE_TIMEOUT_MS = 10 * 60_000;

/** JSON of fewer characters is parsed without a look at its depth. */
const SHORT_JSON = 2048;

/** How long an answer that is whole may take to say so. */
const END_TIMEOUT_MS = 10_000;

/** How long a finished answer may take to close its stream before the connection is given up. */
const DRAIN_TIMEOUT_MS = 1000;

export interface ModelCallOptions {
  readonly provider: string;
  /** For messages only; the request itself is the library's. */
  readonly url: string;
  /** Marks the answer's reasoning; see `toOrigin`. */
  readonly origin?: string;
  /** The turn's signal. */
  readonly signal: AbortSignal;
  readonly idleTimeoutMs?: number;
}

/**
 * One HTTP request to a model, from its first byte out to its last byte in: idle timer, abort, reading
 * and the translation of every failure. `close` must be called once, whatever happened; it closes the
 * connection unless the answer came to its end.
 *
 * It listens on the turn's signal only while it lives, and gives the library a signal of its own: the
 * libraries never take their listeners off, and a turn makes many calls.
 */
export class ModelCall {
  readonly provider: string;
  readonly url: string;
  /** Replaced by one that knows the credential, once that has been asked for. */
  redact: Redact;
  requestId: string | undefined;
  /** Request ids of the response, once there is one. */
  headers: Record<string, string> | undefined;
  /** True once the turn was aborted or silence lasted too long: nothing may be yielded after it. */
  stopped = false;

  readonly #turnSignal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #idleTimeoutMs: number;
  #timer: NodeJS.Timeout;
  readonly #parser = new SseParser();
  readonly #decoder = new StringDecoder("utf8");
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #waiting = false;
  #bytes = 0;
  #timedOut = false;
  readonly #startedMs = performance.now();
  #ended = false;
  /** The answer is whole; what may follow is worth little. */
  #ending = false;
  #opened = false;
  #rejectOpening: ((reason: unknown) => void) | undefined;

  constructor(options: ModelCallOptions) {
    this.provider = options.provider;
    this.url = options.url;
    this.redact = createRedact({ url: options.url });
    this.#turnSignal = options.signal;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS;
    this.#timer = setTimeout(this.#onSilence, this.#idleTimeoutMs);
    if (options.signal.aborted) this.#onAbort();
    else options.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /**
   * Sends the request. `start` gets the signal to pass on; it may ignore it, the call ends all the same.
   * @throws what the library threw: give it to `toError`.
   */
  async open(start: (signal: AbortSignal) => Promise<Response>): Promise<Response> {
    this.assertRunning();
    this.#startWaiting();
    const stopped = new Promise<never>((_, reject) => {
      this.#rejectOpening = reject;
    });
    try {
      const response = await Promise.race([start(this.#controller.signal), stopped]);
      this.#opened = true;
      this.requestId = findRequestId(response.headers);
      this.headers = keepRequestIds(response.headers);
      this.#reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
      return response;
    } finally {
      this.#waiting = false;
      this.#rejectOpening = undefined;
    }
  }

  /** The data of the events in the next piece of the stream (may be none), or undefined at its end. */
  async nextEvents(): Promise<string[] | undefined> {
    if (this.#ended) return undefined;
    const bytes = await this.#read();
    const events: string[] = [];
    if (bytes !== undefined) {
      this.#parser.push(this.#decoder.write(bytes), events);
      if (this.#parser.held > ANSWER_CAPS.eventCharacters)
        throw tooLargeError(
          this,
          `an event of more than ${ANSWER_CAPS.eventCharacters} characters, the most that one may have`,
        );
      return events;
    }
    this.#parser.push(this.#decoder.end(), events);
    this.#parser.end(events);
    return events;
  }

  /** What came where events were expected, once they are over; undefined when it is no JSON either. */
  foreignBody(): unknown {
    const text = this.#parser.foreign;
    try {
      return text === undefined ? undefined : this.parse(text);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /**
   * The rest of the response, parsed. @throws ModelError "answer-too-large" when it has more bytes or is
   * nested deeper than may come; SyntaxError when it is not JSON.
   */
  async readJson(maxBytes: number): Promise<unknown> {
    let text = "";
    for (let bytes = await this.#read(maxBytes); bytes !== undefined; bytes = await this.#read(maxBytes))
      text += this.#decoder.write(bytes);
    return this.parse(text + this.#decoder.end());
  }

  /** Parses JSON of the response. @throws as `readJson`. */
  parse(json: string): unknown {
    // A short text cannot be nested so deep that it does harm: the many small events need no look.
    if (json.length > SHORT_JSON && isDeeperThan(json))
      throw tooLargeError(
        this,
        `JSON that is nested more than ${MAX_JSON_DEPTH} deep, the most that may come`,
      );
    return JSON.parse(json);
  }

  /** @throws the turn signal's reason, or ModelError "timeout". */
  assertRunning(): void {
    if (!this.stopped) return;
    throw this.#timedOut ? this.#timeoutError() : this.#turnSignal.reason;
  }

  /** What to throw for something thrown while this call ran. */
  toError(thrown: unknown): unknown {
    if (this.stopped) return this.#timedOut ? this.#timeoutError() : this.#turnSignal.reason;
    for (let at: unknown = thrown; at instanceof Error; at = at.cause)
      if (at instanceof ModelError) return at;
    return this.#opened
      ? toBrokenAnswerError(thrown, this, this.redact)
      : toUnsentError(thrown, this, this.redact);
  }

  /** For an error object inside the stream. */
  streamedError(error: unknown): ModelError {
    return toStreamedError(error, this, this.redact);
  }

  /** The error that a body or the data of an event tells, in whatever shape; undefined when it tells none. */
  errorSaidBy(said: unknown): ModelError | undefined {
    return parseErrorBody(said).message === undefined ? undefined : this.streamedError(said);
  }

  /** For a stream that ended without `missing`, its terminal marker. */
  droppedError(missing: string): ModelError {
    return toDroppedStreamError(this, missing);
  }

  /** Ends the call. `complete`: the answer is whole, so the connection may be kept for the next request. */
  close(state: { readonly complete: boolean }): void {
    this.#turnSignal.removeEventListener("abort", this.#onAbort);
    clearTimeout(this.#timer);
    if (this.#ended) return;
    if (state.complete && this.#reader !== undefined && !this.stopped) void this.#drain(this.#reader);
    else this.#controller.abort();
  }

  async #read(maxBytes: number = ANSWER_CAPS.streamBytes): Promise<Uint8Array | undefined> {
    this.assertRunning();
    if (performance.now() - this.#startedMs > ANSWER_CAPS.callMs)
      throw new ModelError(
        "timeout",
        `${this.provider} did not end its answer in ${ANSWER_CAPS.callMs / 60_000} minutes, the most that one may take.`,
        { requestId: this.requestId },
      );
    this.#startWaiting();
    const next = await this.#reader?.read().catch((error: unknown) => {
      if (!this.#ending) throw error;
      return undefined;
    });
    this.#waiting = false;
    this.assertRunning();
    if (next === undefined || next.done) {
      this.#ended = true;
      return undefined;
    }
    this.#bytes += next.value.byteLength;
    if (this.#bytes > maxBytes)
      throw tooLargeError(this, `more than ${maxBytes} bytes, the most that may come`);
    return next.value;
  }

  /**
   * The answer is whole, and only its end or a last count may follow. Some servers send neither and keep the
   * connection: a shorter silence ends the answer then, and so does a connection that breaks.
   */
  expectEnd(): void {
    if (this.#ending) return;
    this.#ending = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onSilence, Math.min(this.#idleTimeoutMs, END_TIMEOUT_MS));
  }

  #startWaiting(): void {
    this.#waiting = true;
    this.#timer.refresh();
  }

  /** Reads what follows the answer's end, so that the connection goes back to its pool. */
  async #drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const giveUp = setTimeout(() => this.#controller.abort(), DRAIN_TIMEOUT_MS);
    giveUp.unref();
    try {
      while (!(await reader.read()).done);
    } catch {
      // The answer is complete already; how its connection ends changes nothing.
    } finally {
      clearTimeout(giveUp);
    }
  }

  #timeoutError(): ModelError {
    const seconds = this.#idleTimeoutMs / 1000;
    return new ModelError(
      "timeout",
      `${this.provider} sent nothing for ${seconds} s. Try again, or have the server started with a longer --model-idle-timeout (RIGHTSEAT_MODEL_IDLE_TIMEOUT).`,
      {
        requestId: this.requestId,
      },
    );
  }

  readonly #onAbort = (): void => this.#stop();

  readonly #onSilence = (): void => {
    // Silence is the consumer's own while nobody reads; the next read starts the timer again.
    if (!this.#waiting) return;
    if (this.#ending) {
      this.#ended = true;
      this.#controller.abort();
      this.#reader?.cancel().catch(() => {});
      return;
    }
    this.#timedOut = true;
    this.#stop();
  };

  #stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.#controller.abort();
    // A `fetch` of the application's may ignore the signal: these two end the wait in any case.
    this.#rejectOpening?.(new Error("stopped"));
    this.#reader?.cancel().catch(() => {});
  }
}
