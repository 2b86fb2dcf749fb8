/**
 * The `fetch` of model calls, on `node:http`: a third of the CPU of the built-in one, whose web streams
 * and request objects cost more than the rest of a short turn. It is as much of `fetch` as model calls
 * use: no redirects, no decompression (none is asked for), and a body that is read through `getReader`.
 * Silence has no limit here: the idle timer of the call rules.
 */
import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";

/** What model calls send: as much of `RequestInit` as they need. */
export interface ModelRequestInit {
  readonly method: "GET" | "POST";
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
}

/** What model calls read: a `Response` is one, and so is what `httpFetch` gives. */
export interface ModelResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: Pick<Headers, "get">;
  readonly body: { getReader(): BodyReader } | null;
}

export interface BodyReader {
  read(): Promise<ReadResult>;
  cancel(): Promise<void>;
}

type ReadResult =
  | { readonly done: false; readonly value: Uint8Array }
  | { readonly done: true; readonly value: undefined };

const httpAgent = new HttpAgent({ keepAlive: true });
const httpsAgent = new HttpsAgent({ keepAlive: true });
/** Chunks held for a reader that is behind, before the socket is told to wait. */
const MOST_CHUNKS = 64;

export async function httpFetch(address: string, init: ModelRequestInit): Promise<ModelResponse> {
  const url = new URL(address);
  try {
    return await send(url, init, url.protocol === "https:" ? httpsAgent : httpAgent);
  } catch (error) {
    // The server closed an idle connection just as it was used again; nothing of the request was read.
    if (!(error instanceof StaleConnectionError)) throw error;
    return await send(url, init, new (url.protocol === "https:" ? HttpsAgent : HttpAgent)());
  }
}

class StaleConnectionError extends Error {}

function send(url: URL, init: ModelRequestInit, agent: HttpAgent): Promise<ModelResponse> {
  const { method, body, signal } = init;
  signal.throwIfAborted();
  const headers: Record<string, string> = { "accept-encoding": "identity", ...init.headers };
  if (body !== undefined) headers["content-length"] = String(Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    const start = url.protocol === "https:" ? requestHttps : requestHttp;
    const request: ClientRequest = start(url, { method, headers, agent });
    const onAbort = () => request.destroy(toError(signal.reason));
    const cleanUp = () => signal.removeEventListener("abort", onAbort);
    signal.addEventListener("abort", onAbort, { once: true });
    request.once("error", (error: NodeJS.ErrnoException) => {
      cleanUp();
      if (signal.aborted) reject(toError(signal.reason));
      else if (request.reusedSocket && error.code === "ECONNRESET")
        reject(new StaleConnectionError(error.message, { cause: error }));
      else reject(error);
    });
    request.once("response", (message) => {
      message.once("close", cleanUp);
      resolve(toResponse(message, signal));
    });
    request.end(body);
  });
}

function toResponse(message: IncomingMessage, signal: AbortSignal): ModelResponse {
  const status = message.statusCode ?? 0;
  const reader = new MessageReader(message, signal);
  return {
    ok: status >= 200 && status < 300,
    status,
    headers: { get: (name) => message.headers[name.toLowerCase()]?.toString() ?? null },
    body: { getReader: () => reader },
  };
}

/** Reads a message's body chunk by chunk, as `ReadableStreamDefaultReader` does. One read at a time. */
class MessageReader implements BodyReader {
  readonly #message: IncomingMessage;
  readonly #signal: AbortSignal;
  #chunks: Uint8Array[] = [];
  #waiting: { resolve: (result: ReadResult) => void; reject: (error: Error) => void } | undefined;
  #ended = false;
  #error: Error | undefined;

  constructor(message: IncomingMessage, signal: AbortSignal) {
    this.#message = message;
    this.#signal = signal;
    message.on("data", (chunk: Uint8Array) => this.#push(chunk));
    message.on("end", () => this.#end());
    message.on("error", (error) => this.#fail(error));
    message.on("close", () =>
      this.#fail(new Error("the connection was closed before the answer was complete")),
    );
  }

  read(): Promise<ReadResult> {
    const chunk = this.#chunks.shift();
    if (chunk) {
      if (this.#chunks.length === 0 && this.#message.isPaused()) this.#message.resume();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    if (this.#error) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Closes the connection, unless the body was read to its end. */
  cancel(): Promise<void> {
    this.#chunks = [];
    if (!this.#ended) this.#message.destroy();
    return Promise.resolve();
  }

  #push(chunk: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    if (this.#chunks.length >= MOST_CHUNKS) this.#message.pause();
  }

  #end(): void {
    this.#ended = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  #fail(error: Error): void {
    if (this.#ended || this.#error) return;
    this.#error = this.#signal.aborted ? toError(this.#signal.reason) : error;
    this.#waiting?.reject(this.#error);
    this.#waiting = undefined;
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("the request was aborted", { cause: reason });
}
