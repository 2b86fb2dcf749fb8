/**
 * The port for those who look after the server, not for clients: is it alive, is it ready, what does
 * it do. Off unless it is asked for; loaded only then. It has no authentication and tells no secret;
 * it belongs on a network that only operators reach.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Newcomers } from "../strangers/newcomers.ts";

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface HttpOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** By path. A page that throws is answered with 500. */
  readonly pages: Readonly<Record<string, () => Page | Promise<Page>>>;
  readonly onError: (error: unknown, path: string) => void;
}

export interface HttpPort {
  readonly port: number;
  close(): void;
}

/** One more ends the oldest of the address that has most: who asks, and is answered at once, is served all the same. */
const MAX_CONNECTIONS = 256;
/** How long a request may take to arrive, and how often those that are late are looked for. */
const REQUEST_MS = 10_000;
const LATE_REQUESTS_MS = 1_000;

/** Listens. Rejects with the system's error. */
export async function listenHttp(options: HttpOptions): Promise<HttpPort> {
  const server: Server = createServer(
    {
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      connectionsCheckingInterval: LATE_REQUESTS_MS,
    },
    (request, response) => void answer(options, request, response),
  );
  const sockets = new Newcomers<Socket>();
  server.on("connection", (socket: Socket) => {
    if (sockets.size >= MAX_CONNECTIONS) sockets.first()?.destroy();
    sockets.add(socket, socket.remoteAddress);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // A port that looks on keeps no process alive.
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0] as string;
  const page = await pageFor(options, request, path);
  response.writeHead(page.status, {
    "content-type": page.contentType,
    "content-length": Buffer.byteLength(page.body),
    "cache-control": "no-store",
  });
  response.end(request.method === "HEAD" ? undefined : page.body);
}

async function pageFor(options: HttpOptions, request: IncomingMessage, path: string): Promise<Page> {
  if (request.method !== "GET" && request.method !== "HEAD")
    return text(405, "only GET and HEAD are answered\n");
  const page = Object.hasOwn(options.pages, path) ? options.pages[path] : undefined;
  if (!page) return text(404, `nothing here; there is ${Object.keys(options.pages).join(", ")}\n`);
  try {
    return await page();
  } catch (error) {
    options.onError(error, path);
    return text(500, "internal error; the server's log says more\n");
  }
}

export function text(status: number, body: string): Page {
  return { status, contentType: "text/plain; charset=utf-8", body };
}

export function json(status: number, value: unknown): Page {
  return { status, contentType: "application/json", body: `${JSON.stringify(value)}\n` };
}
