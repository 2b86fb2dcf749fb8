/**
 * The `fetch` of model calls, on `node:http`: a third of the CPU of the built-in one, whose web streams
 * and request objects cost more than the rest of a short turn. It is as much of `fetch` as the official
 * libraries and our own reading of streams use: bodies of text or bytes, no redirects, and a response that is iterated
 * or read through `getReader` or `json`. Silence has no limit here: the
 * idle timer of the call rules.
 */
import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import { pipeline, type Readable } from "node:stream";
import { constants, createBrotliDecompress, createGunzip, createInflate, type ZlibOptions } from "node:zlib";
import type { Proxies } from "../network/proxies.ts";
import type { Fetch } from "./model-provider.ts";

/** Chunks held for a reader that is behind, before the socket is told to wait. */
const MOST_CHUNKS = 64;

const MOST_JSON_BYTES = 4 * 1024 * 1024;

/** Headers that frame a request are not for applications to set: two lengths are two requests to some servers. */
const FRAMING = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** What was read of headers that do not change, and come with every call. */
const readBefore = new WeakMap<object, Readonly<Record<string, string>>>();

/** Those that are sent, by their names in lower case. */
function readHeaders(given: RequestInit["headers"]): Readonly<Record<string, string>> {
  const known = given && readBefore.get(given);
  if (known) return known;
  const headers = new Headers(given);
  for (const name of FRAMING) headers.delete(name);
  const read = Object.fromEntries(headers);
  read["accept-encoding"] ??= "identity";
  if (given && Object.isFrozen(given)) readBefore.set(given, read);
  return read;
}

export interface HttpFetchOptions {
  /** How names are resolved; default as the system does. */
  readonly lookup?: LookupFunction;
  /** Default: every request goes straight to its host. */
  readonly proxies?: Proxies;
}

/** A `fetch` with connections of its own. */
export function createHttpFetch({ proxies, ...options }: HttpFetchOptions = {}): Fetch {
  const agents = {
    http: new HttpAgent({ ...options, keepAlive: true }),
    https: new HttpsAgent({ ...options, keepAlive: true }),
  };
  return async (input, init = {}) => {
    const url = new URL(typeof input === "string" ? input : input instanceof URL ? input.href : input.url);
    const body = init.body ?? undefined;
    if (typeof body !== "string" && !(body instanceof Uint8Array) && body !== undefined) {
      throw new TypeError("expected a body of text or bytes");
    }
    const signal = init.signal ?? undefined;
    const secure = url.protocol === "https:";
    const proxy = proxies?.takes(url) ? await proxies.agentFor(url) : undefined;
    try {
      return await send(url, init, body, signal, proxy ?? (secure ? agents.https : agents.http));
    } catch (error) {
      // The server closed an idle connection just as it was used again; nothing of the request was read.
      if (!(error instanceof StaleConnectionError)) throw error;
      return await send(url, init, body, signal, proxy ?? new (secure ? HttpsAgent : HttpAgent)(options));
    }
  };
}

class StaleConnectionError extends Error {}

function send(
  url: URL,
  init: RequestInit,
  body: string | Uint8Array | undefined,
  signal: AbortSignal | undefined,
  agent: HttpAgent,
): Promise<Response> {
  signal?.throwIfAborted();
  const secure = url.protocol === "https:";
  const headers: Record<string, string> = { ...readHeaders(init.headers) };
  if (body !== undefined) headers["content-length"] = String(Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    const request: ClientRequest = (secure ? requestHttps : requestHttp)(url, {
      method: init.method ?? "GET",
      headers,
      agent,
    });
    const onAbort = () => request.destroy(toError(signal?.reason));
    const cleanUp = () => signal?.removeEventListener("abort", onAbort);
    signal?.addEventListener("abort", onAbort, { once: true });
    request.once("error", (error: NodeJS.ErrnoException) => {
      cleanUp();
      if (signal?.aborted) reject(toError(signal.reason));
      else if (request.reusedSocket && error.code === "ECONNRESET")
        reject(new StaleConnectionError(error.message, { cause: error }));
      else reject(error);
    });
    request.once("response", (message) => {
      message.once("close", cleanUp);
      resolve(toResponse(url, message, signal));
    });
    request.end(body);
  });
}

function toResponse(url: URL, message: IncomingMessage, signal: AbortSignal | undefined): Response {
  const headers = new Headers();
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    headers.append(message.rawHeaders[index] as string, message.rawHeaders[index + 1] as string);
  }
  const status = message.statusCode ?? 0;
  const reader = new MessageReader(decompressed(message, headers.get("content-encoding")), signal);
  const response = {
    ok: status >= 200 && status < 300,
    status,
    statusText: message.statusMessage ?? "",
    url: url.href,
    headers,
    body: {
      getReader: () => reader,
      cancel: () => reader.cancel(),
      [Symbol.asyncIterator]: () => iterate(reader),
    },
    json: () => readJson(reader),
  };
  return response as unknown as Response;
}

/** A reader that stops early closes the connection. */
async function* iterate(reader: MessageReader): AsyncGenerator<Uint8Array> {
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel();
  }
}

/** For answers that are short: keys of issuers. */
async function readJson(reader: MessageReader): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    bytes += next.value.length;
    if (bytes > MOST_JSON_BYTES) {
      await reader.cancel();
      throw new Error(`more than ${MOST_JSON_BYTES} bytes, the most that may come`);
    }
    chunks.push(next.value);
  }
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

/** None is asked for; some gateways compress all the same. */
function decompressed(message: IncomingMessage, encoding: string | null): Readable {
  const create = DECODERS[encoding?.trim().toLowerCase() ?? ""];
  if (!create) return message;
  const decoder = create({ flush: constants.Z_SYNC_FLUSH });
  // Either way, whoever reads is told, and the connection is closed.
  pipeline(message, decoder, () => undefined);
  return decoder;
}

const DECODERS: Readonly<Record<string, (options: ZlibOptions) => Readable & NodeJS.ReadWriteStream>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: () => createBrotliDecompress(),
};

type ReadResult =
  | { readonly done: false; readonly value: Uint8Array }
  | { readonly done: true; readonly value: undefined };

/** Reads a message's body chunk by chunk, as `ReadableStreamDefaultReader` does. One read at a time. */
class MessageReader {
  readonly #message: Readable;
  readonly #signal: AbortSignal | undefined;
  #chunks: Uint8Array[] = [];
  #waiting: { resolve: (result: ReadResult) => void; reject: (error: Error) => void } | undefined;
  #ended = false;
  #error: Error | undefined;

  constructor(message: Readable, signal: AbortSignal | undefined) {
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

  releaseLock(): void {}

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
    this.#error = this.#signal?.aborted ? toError(this.#signal.reason) : error;
    this.#waiting?.reject(this.#error);
    this.#waiting = undefined;
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("the request was aborted", { cause: reason });
}
