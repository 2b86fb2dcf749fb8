/**
 * Model traffic through a connected client. A client that registered itself with
 * `llmInference.setProvider` is asked to send the runtime's HTTP requests itself: we send
 * `llmInference.httpRequestStart` and `llmInference.httpRequestChunk`, it answers with calls of
 * `llmInference.httpResponseStart` and `llmInference.httpResponseChunk`. Shapes after the official
 * SDK's `api.schema.json`; the order of calls after its request handler. An exchange that is over is unknown
 * by its id: whatever still comes for it is answered `accepted: false`.
 */
import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import {
  type AskClient,
  ClientExchange,
  type ClientHeaders,
  type ClientRequestContext,
  type ClientResponseChunk,
  type ClientResponseStart,
  messageOf,
  type RequestHead,
  toError,
} from "./client-exchange.ts";
import type { Fetch } from "./model-provider.ts";

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
  readonly request: AskClient;
}

/** Statuses whose responses have no body (Fetch standard, "null body status"). */
const NULL_BODY_STATUSES = new Set([204, 205, 304]);

/** No longer true of a body that the client's own `fetch` has decoded. */
const STALE_HEADERS = new Set(["content-encoding", "content-length", "transfer-encoding"]);

export function createClientInference(options: ClientInferenceOptions): ClientInference {
  const exchanges = new Map<string, ClientExchange>();
  const closing = new AbortController();
  // Each request that a client has not answered listens to it; there may be hundreds at once.
  setMaxListeners(0, closing.signal);

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
  for (const [name, values] of Object.entries(head.headers ?? {})) {
    if (!STALE_HEADERS.has(name.toLowerCase())) for (const value of values) headers.append(name, value);
  }
  const content = NULL_BODY_STATUSES.has(head.status) ? null : (body as ReadableStream<Uint8Array>);
  return new Response(content, { status: head.status, statusText: head.statusText, headers });
}
