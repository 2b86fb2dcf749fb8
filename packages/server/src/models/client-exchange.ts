/**
 * One request through a client: start → request chunks (each acknowledged before the next, so that order
 * is certain) → response head → response chunks → over. It is over once: by an end-marked chunk, an
 * error of either side, an abort (which the client is told with a cancel chunk), or `fail`. Shapes after
 * the official SDK's `api.schema.json`.
 */
import { cutText } from "@rightseat/protocol";

/** The session and agent that ask: sent with every request, so that the client can tell sessions and agents apart. */
export interface ClientRequestContext {
  /** Absent for requests outside any session (the list of models at start-up). */
  readonly sessionId?: string;
  /** Stable for one agent of one session, over all its turns. */
  readonly agentId?: string;
  readonly parentAgentId?: string;
  /** Stable for one run of the agent's loop, retries included. */
  readonly agentInvocationId?: string;
  /** "conversation-agent", "conversation-subagent", "conversation-compaction", … */
  readonly interactionType?: string;
}

/** Lower-case names, every value of a repeated header. */
export type ClientHeaders = Readonly<Record<string, readonly string[]>>;

export interface ClientResponseStart {
  readonly requestId: string;
  readonly status: number;
  readonly statusText?: string;
  readonly headers?: ClientHeaders;
}

export interface ClientResponseChunk {
  readonly requestId: string;
  /** Text, or base64 when `binary`. */
  readonly data: string;
  readonly binary?: boolean;
  readonly end?: boolean;
  readonly error?: { readonly message: string; readonly code?: string };
}

/** Asks the client; rejects when it answers with an error, or with the signal's reason. */
export type AskClient = (method: string, params: unknown, signal: AbortSignal) => Promise<unknown>;

/** A request body is cut into chunks of this many characters (text) or bytes (binary). */
const CHUNK_LENGTH = 1024 * 1024;

/** From here on a chunk's acknowledgement waits for the reader. */
const HIGH_WATER_BYTES = 256 * 1024;

/** A client that goes on sending without waiting for acknowledgements loses the exchange here. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

const MAX_REASON_CHARACTERS = 200;

export interface RequestHead extends ClientRequestContext {
  readonly method: string;
  readonly url: string;
  readonly headers: ClientHeaders;
  readonly transport: "http" | "websocket";
}

interface ExchangeOptions {
  readonly requestId: string;
  readonly transport: "http" | "websocket";
  readonly request: AskClient;
  /** Aborts when the client is gone. */
  readonly closing: AbortSignal;
  /** The caller's; aborts the exchange. */
  readonly signal: AbortSignal | undefined;
  readonly onOver: () => void;
}

/** One request through the client, in the states at the top of this file. */
export class ClientExchange {
  /** Rejects when the exchange is over before its response began. */
  readonly head: Promise<ClientResponseStart>;
  readonly body: ReadableStream<string | Uint8Array>;

  readonly #options: ExchangeOptions;
  /** Aborts when the exchange is over: acknowledgements still missing are not waited for. */
  readonly #over = new AbortController();
  readonly #text = new TextJoiner();
  #started: Promise<void> = Promise.resolve();
  #bodyController!: ReadableStreamDefaultController<string | Uint8Array>;
  #resolveHead!: (head: ClientResponseStart) => void;
  #rejectHead!: (error: unknown) => void;
  #receivedHead: ClientResponseStart | undefined;
  #waiters: (() => void)[] = [];

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.head = new Promise((resolve, reject) => {
      this.#resolveHead = resolve;
      this.#rejectHead = reject;
    });
    this.head.catch(() => {}); // Handled by whoever awaits it; one that went away must not end the process.
    this.body = new ReadableStream(
      {
        start: (controller) => {
          this.#bodyController = controller;
        },
        pull: () => this.#release(),
        cancel: (reason) => this.abandon(toError(reason)),
      },
      { highWaterMark: HIGH_WATER_BYTES, size: (piece) => piece.length },
    );
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  start(params: RequestHead & { readonly requestId: string }): void {
    this.#started = this.#ask("llmInference.httpRequestStart", params);
    this.#started.catch(() => {}); // `#ask` has failed the exchange already.
  }

  /** Sends a whole request body and its end. Never rejects: a failure ends the exchange. */
  async sendBody(body: string | Buffer): Promise<void> {
    try {
      let at = 0;
      do {
        const next = cutAt(body, at + CHUNK_LENGTH);
        const piece =
          typeof body === "string"
            ? { data: body.slice(at, next) }
            : { data: body.toString("base64", at, next), binary: true };
        await this.sendChunk({ ...piece, end: next === body.length });
        at = next;
      } while (at < body.length);
    } catch {
      // Over: `head` or `body` tells why.
    }
  }

  /** @throws why the exchange is over. */
  async sendChunk(chunk: {
    readonly data: string;
    readonly binary?: boolean;
    readonly end?: boolean;
  }): Promise<void> {
    await this.#started;
    this.#over.signal.throwIfAborted();
    await this.#ask("llmInference.httpRequestChunk", { requestId: this.#options.requestId, ...chunk });
  }

  /** Nothing more to send, and no interest in what may still come. */
  endRequest(): void {
    this.#finish({ chunk: { data: "", end: true } });
  }

  receiveHead(head: ClientResponseStart): boolean {
    if (this.#receivedHead !== undefined) return false;
    if (this.#options.transport === "websocket" && head.status === 101) this.#resolveHead(head);
    // The reason for a failure comes as an error chunk behind its head: that message is worth waiting for.
    else if (this.#options.transport === "http" && head.status < 400) this.#resolveHead(head);
    this.#receivedHead = head;
    return true;
  }

  /** True when taken, false when refused, a promise when taken while the reader is behind. */
  receiveChunk(chunk: ClientResponseChunk): boolean | Promise<void> {
    if (chunk.error !== undefined) {
      const code = chunk.error.code === undefined ? "" : ` (${chunk.error.code})`;
      this.fail(new Error(`the client's request handler failed: ${chunk.error.message}${code}`));
      return true;
    }
    const head = this.#receivedHead;
    if (head === undefined) {
      this.abandon(new Error("the client sent a response body before the response's head"));
      return false;
    }
    if (this.#options.transport === "websocket" && head.status !== 101) {
      this.abandon(
        new Error(`the client could not open the WebSocket: expected status 101, got ${head.status}`),
      );
      return true;
    }
    this.#resolveHead(head);
    this.#enqueue(this.#decode(chunk));
    if (chunk.end === true) {
      this.#enqueue(this.#text.end());
      this.#finish({});
      return true;
    }
    const room = this.#bodyController.desiredSize ?? 0;
    if (room > 0) return true;
    if (-room > MAX_BUFFERED_BYTES) {
      this.abandon(new Error(`the client sent more than ${MAX_BUFFERED_BYTES} bytes ahead of the reader`));
      return false;
    }
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Ends it with an error that the client knows of, or cannot be told. */
  fail(error: unknown): void {
    this.#finish({ error });
  }

  /** Ends it with an error, and tells the client to stop. */
  abandon(error: unknown): void {
    this.#finish({
      error,
      chunk: { data: "", cancel: true, cancelReason: cutText(messageOf(error), MAX_REASON_CHARACTERS) },
    });
  }

  readonly #onAbort = (): void => this.abandon(this.#options.signal?.reason);

  #decode(chunk: ClientResponseChunk): string | Uint8Array {
    if (chunk.binary === true) {
      const bytes = Buffer.from(chunk.data, "base64");
      return this.#options.transport === "http" ? Buffer.concat([this.#text.end(), bytes]) : bytes;
    }
    return this.#options.transport === "http" ? this.#text.push(chunk.data) : chunk.data;
  }

  #enqueue(piece: string | Uint8Array): void {
    if (piece.length > 0) this.#bodyController.enqueue(piece);
  }

  #release(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  async #ask(method: string, params: unknown): Promise<void> {
    try {
      await this.#options.request(method, params, this.#over.signal);
    } catch (thrown) {
      const error = new Error(`the client did not take the request (${method}): ${messageOf(thrown)}`, {
        cause: thrown,
      });
      this.fail(error);
      throw error;
    }
  }

  #finish(end: { readonly error?: unknown; readonly chunk?: Readonly<Record<string, unknown>> }): void {
    if (this.#over.signal.aborted) return;
    const { onOver, signal, closing, request, requestId } = this.#options;
    onOver();
    signal?.removeEventListener("abort", this.#onAbort);
    if (end.chunk !== undefined) {
      request("llmInference.httpRequestChunk", { requestId, ...end.chunk }, closing).catch(() => {});
    }
    this.#over.abort(end.error);
    this.#release();
    this.#rejectHead(end.error);
    // A consumer's own cancel has closed the stream already; both calls throw then.
    try {
      if ("error" in end) this.#bodyController.error(end.error);
      else this.#bodyController.close();
    } catch {
      // Closed already.
    }
  }
}

/** Text in pieces to bytes. A pair of surrogates cut in two by a chunk's end comes out whole. */
class TextJoiner {
  #held = "";

  push(text: string): Uint8Array {
    const all = this.#held + text;
    const whole = isHighSurrogate(all, all.length - 1) ? all.length - 1 : all.length;
    this.#held = all.slice(whole);
    return Buffer.from(all.slice(0, whole));
  }

  end(): Uint8Array {
    const rest = this.#held;
    this.#held = "";
    return Buffer.from(rest);
  }
}

/** Where to cut a body so that no pair of surrogates is torn. */
function cutAt(body: string | Buffer, end: number): number {
  if (end >= body.length) return body.length;
  return typeof body === "string" && isHighSurrogate(body, end - 1) ? end - 1 : end;
}

function isHighSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0xd800 && unit <= 0xdbff;
}

export function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

export function toError(reason: unknown): Error {
  return reason instanceof Error
    ? reason
    : new Error(reason === undefined ? "the reader stopped reading" : String(reason));
}
