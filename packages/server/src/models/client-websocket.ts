/**
 * The Responses API over a WebSocket that a connected client opens for us. Each WebSocket message is
 * one chunk of the exchange in `client-exchange.ts`:
 *
 * 1. `httpRequestStart` with `transport: "websocket"`, method GET and a `ws:` or `wss:` URL; the client
 *    connects and answers with status 101.
 * 2. We send one text message: `{"type": "response.create", …}` with the fields of the HTTP request's
 *    body beside the type; `stream` and `background` have no meaning here and are left out
 *    (the type ResponsesClientEvent of OpenAI's library).
 * 3. Each message that comes back is one event, the JSON that would stand behind `data:` on HTTP.
 *    `response.completed`, `response.incomplete`, `response.failed` and `error` end the answer.
 * 4. We end our side, and the client closes its connection.
 *
 * One connection carries one request: reuse over turns would save a handshake, and cost a table of
 * connections with owners and time limits.
 */
import type { ClientRequestContext } from "./client-exchange.ts";
import { type ClientInference, toClientHeaders } from "./client-fetch.ts";
import type { Fetch } from "./model-provider.ts";

export interface ResponsesSocketRequest {
  /** The HTTP address of the request: `https://…/responses`. */
  readonly url: string;
  readonly headers: Headers;
  /** The body of the HTTP request, parsed. */
  readonly body: Readonly<Record<string, unknown>>;
}

const TERMINAL_EVENTS = new Set(["response.completed", "response.incomplete", "response.failed", "error"]);

/** Headers that speak of an HTTP body, or that the upgrade sets itself. */
const BODY_HEADERS = ["accept", "content-length", "content-type"];

/** No WebSocket could be opened; nothing was sent. */
export class SocketUnavailableError extends Error {
  constructor(cause: unknown) {
    super(
      `the client could not open a WebSocket: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
    this.name = "SocketUnavailableError";
  }
}

function unavailable(cause: unknown, signal: AbortSignal): never {
  signal.throwIfAborted();
  throw new SocketUnavailableError(cause);
}

export interface ResponsesEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * Sends one request and yields its events, the terminal one last. A consumer that stops early, and an
 * abort, cancel the exchange.
 * @throws Error when the client cannot connect, or the connection ends before the terminal event.
 */
export async function* callResponsesOverSocket(
  inference: ClientInference,
  context: ClientRequestContext,
  request: ResponsesSocketRequest,
  signal: AbortSignal,
): AsyncGenerator<ResponsesEvent, void, void> {
  const socket = await inference
    .openSocket(context, { url: toSocketUrl(request.url), headers: toSocketHeaders(request.headers) }, signal)
    .catch((cause) => unavailable(cause, signal));
  try {
    const { stream: _stream, background: _background, ...fields } = request.body;
    // The SDKs accept first and connect with the first message: until that is taken nothing is sent.
    await socket
      .send(JSON.stringify({ type: "response.create", ...fields }))
      .catch((cause) => unavailable(cause, signal));
    // `preventCancel`: the loop's own cancel would hide that the answer was complete.
    for await (const message of socket.messages.values({ preventCancel: true })) {
      const event = parseEvent(message);
      if (TERMINAL_EVENTS.has(event.type)) {
        socket.end();
        yield event;
        return;
      }
      yield event;
    }
    throw new Error("the WebSocket closed before the answer was complete");
  } finally {
    socket.cancel(signal.aborted ? signal.reason : new Error("the answer is no longer wanted"));
  }
}

/**
 * The same as a `fetch`, so that a provider made for HTTP can use it: POST requests to `…/responses` go
 * over a WebSocket and come back as server-sent events, or whole when they ask for no stream; all others
 * take `inference.fetch`, and so does one for which the client can open no WebSocket (Node before 22 has
 * none). An error as the first event becomes a response with its status.
 */
export function createResponsesSocketFetch(
  inference: ClientInference,
): (context: ClientRequestContext) => Fetch {
  return (context) => {
    const plainFetch = inference.fetch(context);
    return async (input, init) => {
      const call = toSocketRequest(input, init);
      if (call === undefined) return plainFetch(input, init);
      const stop = new AbortController();
      const signal = init?.signal ? AbortSignal.any([init.signal, stop.signal]) : stop.signal;
      const events = callResponsesOverSocket(inference, context, call, signal);
      let first: IteratorResult<ResponsesEvent, void>;
      try {
        first = await events.next();
      } catch (error) {
        if (error instanceof SocketUnavailableError) return plainFetch(input, init);
        throw error;
      }
      const status = first.done === true ? undefined : errorStatusOf(first.value);
      if (status !== undefined) {
        await events.return();
        return Response.json(first.value, { status });
      }
      if (call.body.stream !== true) return Response.json(await wholeResponse(first, events));
      return new Response(toEventStream(first, events, stop), {
        headers: { "content-type": "text/event-stream" },
      });
    };
  };
}

function toSocketRequest(
  input: Parameters<Fetch>[0],
  init: RequestInit | undefined,
): ResponsesSocketRequest | undefined {
  if (input instanceof Request || init?.method?.toUpperCase() !== "POST" || typeof init.body !== "string")
    return undefined;
  const url = new URL(input);
  if (!url.pathname.endsWith("/responses")) return undefined;
  const body: unknown = JSON.parse(init.body);
  if (typeof body !== "object" || body === null) return undefined;
  return { url: url.href, headers: new Headers(init.headers), body: body as Record<string, unknown> };
}

function toSocketUrl(url: string): string {
  return url.replace(/^http/, "ws");
}

function toSocketHeaders(headers: Headers) {
  const kept = new Headers(headers);
  for (const name of BODY_HEADERS) kept.delete(name);
  return toClientHeaders(kept);
}

function parseEvent(message: string | Uint8Array): ResponsesEvent {
  const text = typeof message === "string" ? message : Buffer.from(message).toString("utf8");
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch (cause) {
    throw new Error("expected a JSON event on the WebSocket, got text that is not JSON", { cause });
  }
  if (typeof event === "object" && event !== null && typeof (event as { type?: unknown }).type === "string")
    return event as ResponsesEvent;
  throw new Error("expected an event with a 'type' on the WebSocket, got another JSON value");
}

function errorStatusOf(event: ResponsesEvent): number | undefined {
  const { type, status } = event;
  return type === "error" && typeof status === "number" && status >= 400 && status <= 599
    ? status
    : undefined;
}

/** The response object that the terminal event carries: what HTTP answers without a stream. */
async function wholeResponse(
  first: IteratorResult<ResponsesEvent, void>,
  rest: AsyncGenerator<ResponsesEvent, void, void>,
): Promise<unknown> {
  let last = first.value ?? undefined;
  for await (const event of rest) last = event;
  return last?.response ?? last;
}

function toEventStream(
  first: IteratorResult<ResponsesEvent, void>,
  rest: AsyncGenerator<ResponsesEvent, void, void>,
  stop: AbortController,
): ReadableStream<Uint8Array> {
  let next: IteratorResult<ResponsesEvent, void> | undefined = first;
  return new ReadableStream({
    async pull(controller) {
      const result = next ?? (await rest.next());
      next = undefined;
      if (result.done === true) controller.close();
      else controller.enqueue(Buffer.from(`data: ${JSON.stringify(result.value)}\n\n`));
    },
    cancel() {
      // Not `rest.return()`: that would wait for the next event, which may never come.
      stop.abort(new Error("the answer is no longer wanted"));
    },
  });
}
