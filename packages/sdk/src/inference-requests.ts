/** Carries the server's requests to models through the application's handler. */
import type { PublishedMethods } from "@rightseat/protocol";
import { orAborted } from "./call-options.ts";
import { toError } from "./errors.ts";
import { RecentSet } from "./events/recent-set.ts";
import { InferenceExchange } from "./inference-exchange.ts";
import {
  type CopilotRequestContext,
  type CopilotRequestHandler,
  type CopilotWebSocketHandler,
  setWebSocketAnswer,
} from "./request-handler.ts";

type Start = PublishedMethods["llmInference.httpRequestStart"]["params"];
type Chunk = PublishedMethods["llmInference.httpRequestChunk"]["params"];

export interface InferenceRequests {
  /** Takes a piece of a request; the answer goes out by calls of its own. */
  answer(method: string, params: unknown): object;
  /** The connection is gone: nobody waits for any answer. */
  drop(reason: Error): void;
}

/** How many requests are remembered after their end. */
const REMEMBERED_ENDS = 256;

/** The handler's protected methods, which are for subclasses and for this. */
interface Handler {
  sendRequest(request: Request, context: CopilotRequestContext): Promise<Response>;
  openWebSocket(context: CopilotRequestContext): Promise<CopilotWebSocketHandler>;
}

export function createInferenceRequests(
  handler: CopilotRequestHandler,
  call: (method: string, params: object) => Promise<unknown>,
): InferenceRequests {
  const exchanges = new Map<string, InferenceExchange>();
  /** Requests that have ended. More pieces of them may come, and nobody waits for those. */
  const ended = new RecentSet(REMEMBERED_ENDS);
  // A piece may come before the beginning: both are told by requests of their own.
  const exchangeOf = (requestId: string) => {
    const known = exchanges.get(requestId);
    if (known) return known;
    const exchange = new InferenceExchange(requestId, call);
    exchanges.set(requestId, exchange);
    return exchange;
  };
  const carry = async (exchange: InferenceExchange, start: Start) => {
    try {
      const carried = carryOut(handler as unknown as Handler, exchange, start);
      // A handler that does not end holds up nothing once the request is cancelled.
      await orAborted(carried, exchange.signal);
    } catch (error) {
      await exchange.fail(toError(error)).catch(() => undefined);
    } finally {
      exchanges.delete(exchange.requestId);
      ended.add(exchange.requestId);
    }
  };
  return {
    answer: (method, params) => {
      const { requestId } = params as Start | Chunk;
      if (method === "llmInference.httpRequestStart") void carry(exchangeOf(requestId), params as Start);
      else if (!ended.has(requestId)) exchangeOf(requestId).take(params as Chunk);
      return {};
    },
    drop: (reason) => {
      for (const exchange of exchanges.values()) exchange.cancel(reason.message);
      exchanges.clear();
    },
  };
}

async function carryOut(handler: Handler, exchange: InferenceExchange, start: Start): Promise<void> {
  const { requestId, sessionId, agentId, parentAgentId, interactionType, url, headers } = start;
  const transport = start.transport ?? "http";
  const { signal } = exchange;
  const context = {
    requestId,
    sessionId,
    agentId,
    parentAgentId,
    interactionType,
    transport,
    url,
    headers,
    signal,
  };
  if (transport === "websocket") await carryWebSocket(handler, exchange, context);
  else await carryHttp(handler, exchange, context, start.method);
}

/** Belong to one connection, and are not passed on to the next. */
const HOP_HEADERS: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "keep-alive",
  "upgrade",
  "proxy-connection",
  "te",
  "trailer",
]);

async function carryHttp(
  handler: Handler,
  exchange: InferenceExchange,
  context: CopilotRequestContext,
  method: string,
): Promise<void> {
  const headers = new Headers();
  for (const [name, values] of Object.entries(context.headers))
    if (!HOP_HEADERS.has(name.toLowerCase())) for (const value of values ?? []) headers.append(name, value);
  const bytes = await exchange.wholeBody();
  const hasBody = !/^(get|head)$/i.test(method) && bytes.byteLength > 0;
  const init = { method: method.toUpperCase(), headers, ...(hasBody ? { body: bytes } : {}) };
  const response = await handler.sendRequest(new Request(context.url, init), context);
  await exchange.begin({
    status: response.status,
    ...(response.statusText ? { statusText: response.statusText } : {}),
    headers: toWireHeaders(response.headers),
  });
  for await (const piece of response.body ?? []) await exchange.write(piece as Uint8Array);
  await exchange.end();
}

async function carryWebSocket(
  handler: Handler,
  exchange: InferenceExchange,
  context: CopilotRequestContext,
): Promise<void> {
  setWebSocketAnswer(context, {
    send: (data) => exchange.write(data),
    end: (error) => exchange.end(error),
  });
  const socket = await handler.openWebSocket(context);
  try {
    await socket.open();
    // The server says nothing before the connection is acknowledged.
    await exchange.begin({ status: 101, headers: {} });
    const said = (async () => {
      for await (const message of exchange.body()) await socket.sendRequestMessage(toText(message));
    })();
    const { error } = (await Promise.race([said, socket.closed])) ?? {};
    if (error) throw error;
  } finally {
    await socket[Symbol.asyncDispose]();
  }
}

const toText = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function toWireHeaders(headers: Headers): Record<string, string[]> {
  const wire: Record<string, string[]> = {};
  for (const [name, value] of headers) if (name !== "set-cookie") wire[name] = [value];
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) wire["set-cookie"] = cookies;
  return wire;
}
