import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { chatWire } from "./chat-wire.ts";
import { messagesWire } from "./messages-wire.ts";
import { replyToPrompt } from "./prompt-language.ts";
import { responsesWire } from "./responses-wire.ts";
import { type ModelWire, type ScriptedReply, toPlainAnswer } from "./scripted-reply.ts";

export type { ScriptedReply, ScriptedToolCall, ScriptedUsage } from "./scripted-reply.ts";

/** One request as it came in. */
export interface RecordedModelRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The parsed JSON body; empty for GET. */
  readonly body: Record<string, unknown>;
}

/** Replies in order, the prompt language after the last; or a function of the request. */
export type ModelScript =
  | readonly ScriptedReply[]
  | ((
      request: RecordedModelRequest,
      index: number,
    ) => ScriptedReply | undefined | Promise<ScriptedReply | undefined>);

export interface ScriptedModelServerOptions {
  readonly script?: ModelScript;
  /** The entries of `data` at GET /models; Copilot's shape or OpenAI's. */
  readonly models?: readonly Record<string, unknown>[];
  readonly port?: number;
}

/** A model provider for tests: real HTTP on 127.0.0.1. */
export interface ScriptedModelServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`; add `/v1` as an application would. */
  readonly url: string;
  /** POSTs only, oldest first. */
  readonly requests: readonly RecordedModelRequest[];
  /** GETs, oldest first. */
  readonly listings: readonly RecordedModelRequest[];
  /** Connections open now, idle ones included. */
  readonly openSockets: number;
  /** How many answers the client closed before their end. */
  readonly closedEarly: number;
  /** Replaces the script for the requests to come; its list starts at the beginning. */
  use(script: ModelScript | undefined): void;
  /** Drops the requests recorded so far, for runs so long that they would fill the memory. */
  forget(): void;
  /** Resolves once `check` holds, tried again whenever a request comes, an answer ends or a socket closes. */
  until(check: (server: ScriptedModelServer) => boolean): Promise<void>;
  /** Cuts every connection and stops listening. */
  close(): Promise<void>;
}

const DEFAULT_MODELS = [{ id: "scripted", object: "model", name: "Scripted" }];

/**
 * Starts a server that speaks Chat Completions (`…/chat/completions`), Responses (`…/responses`) and
 * Messages (`…/messages`), streaming and whole, and lists models at `…/models`. Any path before
 * these is accepted.
 */
export async function startScriptedModelServer(
  options: ScriptedModelServerOptions = {},
): Promise<ScriptedModelServer> {
  const server = new ScriptedServer(options);
  await server.listen(options.port ?? 0);
  return server;
}

class ScriptedServer implements ScriptedModelServer {
  readonly requests: RecordedModelRequest[] = [];
  readonly listings: RecordedModelRequest[] = [];
  closedEarly = 0;
  url = "";
  #script: ModelScript | undefined;
  #scriptStart = 0;
  readonly #models: readonly Record<string, unknown>[];
  readonly #sockets = new Set<Socket>();
  readonly #waiters = new Set<() => void>();
  readonly #http = createServer((request, response) => void this.#serve(request, response));

  constructor(options: ScriptedModelServerOptions) {
    this.#script = options.script;
    this.#models = options.models ?? DEFAULT_MODELS;
    this.#http.on("connection", (socket) => {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#changed();
      });
    });
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  async listen(port: number): Promise<void> {
    this.#http.listen(port, "127.0.0.1");
    await once(this.#http, "listening");
    this.url = `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  use(script: ModelScript | undefined): void {
    this.#script = script;
    this.#scriptStart = this.requests.length;
  }

  forget(): void {
    this.#scriptStart -= this.requests.length;
    this.requests.length = 0;
  }

  async until(check: (server: ScriptedModelServer) => boolean): Promise<void> {
    while (!check(this)) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  async close(): Promise<void> {
    if (!this.#http.listening) return;
    const closed = once(this.#http, "close");
    this.#http.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#changed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #changed(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.once("close", () => {
      if (!response.writableFinished && !cutByServer.has(response)) this.closedEarly++;
      this.#changed();
    });
    try {
      const text = await readText(request);
      const recorded = toRecorded(request, text);
      if (recorded === undefined)
        return sendJson(response, 400, {
          error: { message: "The body is not JSON.", type: "invalid_request_error" },
        });
      if (recorded.method === "GET") return this.#list(recorded, response);
      const index = this.requests.push(recorded) - 1 - this.#scriptStart;
      this.#changed();
      const reply = (await this.#choose(recorded, index)) ?? replyToPrompt(recorded.body);
      await answer(recorded, reply, response, { number: this.requests.length, bytes: text.length });
    } catch (error) {
      // A script that throws is a mistake in the test: it must be seen, not hang.
      if (!response.headersSent)
        sendJson(response, 500, { error: { message: String(error), type: "scripted_server_error" } });
      else cut(response);
    }
  }

  #choose(request: RecordedModelRequest, index: number) {
    return typeof this.#script === "function" ? this.#script(request, index) : this.#script?.[index];
  }

  #list(recorded: RecordedModelRequest, response: ServerResponse): void {
    this.listings.push(recorded);
    sendJson(response, 200, { object: "list", data: this.#models });
  }
}

/** Answers that end without their end on purpose: nobody closed them early. */
const cutByServer = new WeakSet<ServerResponse>();

async function answer(
  request: RecordedModelRequest,
  reply: ScriptedReply,
  response: ServerResponse,
  counts: { readonly number: number; readonly bytes: number },
): Promise<void> {
  if (reply.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, reply.delayMs));
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  const streams = request.body["stream"] === true || reply.rawChunks !== undefined;
  if (reply.hang && (isOnlyHang(reply) || !streams)) return;
  if (reply.rawChunks !== undefined) return sendRaw(reply, reply.rawChunks, response);
  if (reply.status !== undefined || reply.body !== undefined) return sendStatus(reply, response);
  const model = typeof request.body["model"] === "string" ? request.body["model"] : "scripted";
  const plain = toPlainAnswer(reply, { model, ...counts });
  const wire = chooseWire(request.url);
  if (streams) await sendStream(reply, wire.stream(plain), response);
  else sendJson(response, 200, wire.whole(plain));
}

function isOnlyHang({ hang: _, delayMs: __, headers: ___, ...rest }: ScriptedReply): boolean {
  return Object.keys(rest).length === 0;
}

function chooseWire(url: string): ModelWire {
  const path = url.split("?")[0] ?? "";
  if (path.endsWith("/messages")) return messagesWire;
  return path.endsWith("/responses") ? responsesWire : chatWire;
}

function sendStatus(reply: ScriptedReply, response: ServerResponse): void {
  const status = reply.status ?? 200;
  const body = reply.body ?? { error: { message: `scripted status ${status}`, type: "scripted_error" } };
  if (typeof body !== "string") return sendJson(response, status, body);
  response.statusCode = status;
  response.end(body);
}

async function sendRaw(
  reply: ScriptedReply,
  chunks: readonly (string | Uint8Array)[],
  response: ServerResponse,
): Promise<void> {
  response.statusCode = reply.status ?? 200;
  if (!response.hasHeader("content-type")) response.setHeader("content-type", "text/event-stream");
  await sendStream(reply, chunks, response);
}

/** Each chunk is a write of its own, on the wire before the next one is begun when the reply cuts or hangs. */
async function sendStream(
  reply: ScriptedReply,
  chunks: Iterable<string | Uint8Array>,
  response: ServerResponse,
): Promise<void> {
  if (!response.hasHeader("content-type")) response.setHeader("content-type", "text/event-stream");
  response.flushHeaders();
  let sent = 0;
  for (const chunk of chunks) {
    if (response.destroyed) return;
    if (sent === reply.dropAfter) return cut(response);
    if (sent === reply.endAfter) break;
    if (reply.hang && typeof chunk === "string" && CLOSING_FRAME.test(chunk)) return;
    if (reply.dropAfter !== undefined || reply.hang || reply.rawChunks !== undefined)
      await written(response, chunk);
    else if (!response.write(chunk)) await drained(response);
    sent++;
  }
  if (!reply.hang) response.end();
}

/** The first of the frames that close an answer on any wire; one that hangs stops short of it. */
const CLOSING_FRAME = /"finish_reason":"|^event: message_delta|^event: response\.(?:completed|incomplete)/;

function cut(response: ServerResponse): void {
  cutByServer.add(response);
  response.destroy();
}

/** Until the client has read on, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

function written(response: ServerResponse, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => response.write(chunk, () => resolve()));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
}

async function readText(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("utf8");
}

function toRecorded(request: IncomingMessage, text: string): RecordedModelRequest | undefined {
  const head = { method: request.method ?? "GET", url: request.url ?? "/", headers: request.headers };
  if (text === "") return { ...head, body: {} };
  try {
    return { ...head, body: JSON.parse(text) as Record<string, unknown> };
  } catch {
    return undefined;
  }
}
