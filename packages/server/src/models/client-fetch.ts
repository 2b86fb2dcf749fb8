/**
 * Model traffic through a connected client. A client that registered itself with
 * `llmInference.setProvider` is asked to send the runtime's HTTP requests itself: we send
 * `llmInference.httpRequestStart` and `llmInference.httpRequestChunk`, it answers with calls of
 * `llmInference.httpResponseStart` and `llmInference.httpResponseChunk`. Shapes after the official
 * SDK's `api.schema.json`; the order of calls after its request handler.
 *
 * One exchange: start → request chunks (each acknowledged before the next, so that order is certain)
 * → response head → response chunks → over. It is over once: by an end-marked chunk, an error of
 * either side, an abort (which the client is told with a cancel chunk), or `close`. After that its id
 * is unknown, and whatever still comes for it is answered `accepted: false`.
 */
import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { Fetch } from "./model-provider.ts";

/** Who asks: sent along with every request, so that the client can tell sessions and agents apart. */
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
  readonly headers: ClientHeaders;
}

export interface ClientResponseChunk {
  readonly requestId: string;
  /** Text, or base64 when `binary`. */
  readonly data: string;
  readonly binary?: boolean;
  readonly end?: boolean;
  readonly error?: { readonly message: string; readonly code?: string };
}

export interface Accepted {
  /** False when no request with this id is in flight. */
  readonly accepted: boolean;
}

/** A message channel that the client opened for us. Messages are whole WebSocket messages. */
export interface ClientSocket {
  /** What the other side sends; ends when it closes, fails when it breaks. */
  readonly messages: ReadableStream<string | Uint8Array>;
  send(text: string): Promise<void>;
  /** Closes it in good order. Does nothing when it is closed already. */
  end(): void;
  /** Gives it up, telling the client why. Does nothing when it is closed already. */
  cancel(reason: unknown): void;
}

export interface ClientInference {
  /** A `fetch` that goes through the client. It fails with plain Errors and the signal's reason, as the global one does. */
  fetch(context: ClientRequestContext): Fetch;
  /** Resolves when the client has answered the upgrade with 101. */
  openSocket(
    context: ClientRequestContext,
    target: { readonly url: string; readonly headers: ClientHeaders },
    signal: AbortSignal,
  ): Promise<ClientSocket>;
  /** The client's `llmInference.httpResponseStart`. */
  responseStart(params: ClientResponseStart): Accepted;
  /**
   * The client's `llmInference.httpResponseChunk`. A promise when the reader is behind: the SDKs wait
   * for the answer before they send more, which is what slows a fast upstream down.
   */
  responseChunk(params: ClientResponseChunk): Accepted | Promise<Accepted>;
  /** The client is gone: fails all that is in flight and all that is asked later. */
  close(error: Error): void;
}

export interface ClientInferenceOptions {
  /** Asks the client; rejects when it answers with an error, or with the signal's reason. */
  readonly request: (method: string, params: unknown, signal: AbortSignal) => Promise<unknown>;
}

/** A request body is cut into chunks of this many characters (text) or bytes (binary). */
const CHUNK_LENGTH = 1024 * 1024;

/** From here on a chunk's acknowledgement waits for the reader. */
const HIGH_WATER_BYTES = 256 * 1024;

/** A client that goes on sending without waiting for acknowledgements loses the exchange here. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

const MAX_REASON_CHARACTERS = 200;

/** Statuses whose responses have no body (Fetch standard, "null body status"). */
const NULL_BODY_STATUSES = new Set([204, 205, 304]);

/** No longer true of a body that the client's own `fetch` has decoded. */
const STALE_HEADERS = new Set(["content-encoding", "content-length", "transfer-encoding"]);

export function createClientInference(options: ClientInferenceOptions): ClientInference {
  const exchanges = new Map<string, ClientExchange>();
  const closing = new AbortController();

  const open = (start: RequestHead, signal: AbortSignal | undefined): ClientExchange => {
    const requestId = randomUUID();
    const exchange = new ClientExchange({
      requestId,
      transport: start.transport,
      request: options.request,
      closing: closing.signal,
      signal,
      onOver: () => exchanges.delete(requestId),
    });
    exchanges.set(requestId, exchange);
    exchange.start({ requestId, ...start });
    return exchange;
  };

  return {
    fetch: (context) => async (input, init) => {
      const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
      signal?.throwIfAborted();
      closing.signal.throwIfAborted();
      // Without its signal: a Request would follow it with a listener that nobody takes off.
      const request = new Request(input, { ...init, signal: null, duplex: "half" } as RequestInit);
      const body = await readBody(request, init?.body);
      signal?.throwIfAborted();
      closing.signal.throwIfAborted();
      const { method, url } = request;
      const head = {
        ...pickContext(context),
        method,
        url,
        headers: toClientHeaders(request.headers),
        transport: "http",
      } as const;
      const exchange = open(head, signal);
      void exchange.sendBody(body);
      const answer = await exchange.head;
      try {
        return toResponse(answer, exchange.body);
      } catch (thrown) {
        const error = new Error(`the client's response could not be read: ${messageOf(thrown)}`, {
          cause: thrown,
        });
        exchange.abandon(error);
        throw error;
      }
    },

    async openSocket(context, target, signal) {
      signal.throwIfAborted();
      closing.signal.throwIfAborted();
      const exchange = open(
        { ...pickContext(context), method: "GET", ...target, transport: "websocket" },
        signal,
      );
      await exchange.head;
      return {
        messages: exchange.body,
        send: (text) => exchange.sendChunk({ data: text }),
        end: () => exchange.endRequest(),
        cancel: (reason) => exchange.abandon(toError(reason)),
      };
    },

    responseStart: (params) => ({ accepted: exchanges.get(params.requestId)?.receiveHead(params) ?? false }),

    responseChunk(params) {
      const exchange = exchanges.get(params.requestId);
      if (exchange === undefined) return { accepted: false };
      const room = exchange.receiveChunk(params);
      return typeof room === "boolean" ? { accepted: room } : room.then(() => ({ accepted: true }));
    },

    close(error) {
      closing.abort(error);
      for (const exchange of [...exchanges.values()]) exchange.fail(error);
    },
  };
}

interface RequestHead extends ClientRequestContext {
  readonly method: string;
  readonly url: string;
  readonly headers: ClientHeaders;
  readonly transport: "http" | "websocket";
}

interface ExchangeOptions {
  readonly requestId: string;
  readonly transport: "http" | "websocket";
  readonly request: ClientInferenceOptions["request"];
  /** Aborts when the client is gone. */
  readonly closing: AbortSignal;
  /** The caller's; aborts the exchange. */
  readonly signal: AbortSignal | undefined;
  readonly onOver: () => void;
}

/** One request through the client, see the states at the top of this file. */
class ClientExchange {
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
      chunk: { data: "", cancel: true, cancelReason: messageOf(error).slice(0, MAX_REASON_CHARACTERS) },
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

/** Text where the bytes are text: it travels smaller than base64, and reads well in a trace. */
async function readBody(request: Request, given: unknown): Promise<string | Buffer> {
  if (typeof given === "string") return given;
  if (request.body === null) return "";
  const bytes = Buffer.from(await request.arrayBuffer());
  return isUtf8(bytes) ? bytes.toString("utf8") : bytes;
}

/** The schema allows no other field, and `undefined` ones are not sent. */
function pickContext(context: ClientRequestContext): ClientRequestContext {
  const { sessionId, agentId, parentAgentId, agentInvocationId, interactionType } = context;
  return { sessionId, agentId, parentAgentId, agentInvocationId, interactionType };
}

/** Headers in the wire's shape. */
export function toClientHeaders(headers: Headers): ClientHeaders {
  const multi: Record<string, string[]> = {};
  for (const [name, value] of headers) (multi[name] ??= []).push(value);
  return multi;
}

function toResponse(head: ClientResponseStart, body: ReadableStream<string | Uint8Array>): Response {
  const headers = new Headers();
  for (const [name, values] of Object.entries(head.headers)) {
    if (!STALE_HEADERS.has(name.toLowerCase())) for (const value of values) headers.append(name, value);
  }
  const content = NULL_BODY_STATUSES.has(head.status) ? null : (body as ReadableStream<Uint8Array>);
  return new Response(content, { status: head.status, statusText: head.statusText, headers });
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

function toError(reason: unknown): Error {
  return reason instanceof Error
    ? reason
    : new Error(reason === undefined ? "the reader stopped reading" : String(reason));
}
