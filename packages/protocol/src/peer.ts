/**
 * One end of a JSON-RPC 2.0 conversation over any carrier of text messages. Knows nothing of
 * sessions, sockets or framing; both ends may ask and be asked.
 */

import {
  ConnectionClosedError,
  type ErrorReason,
  RemoteError,
  RpcError,
  type RpcErrorBody,
} from "./errors.ts";
import { type FrameHead, readFrameHead } from "./frame-head.ts";
import { isDeeperThan, scalarFieldOf } from "./json-depth.ts";
import { toJson } from "./well-formed.ts";

export type RpcId = string | number;

export interface PeerHandlers {
  /** Hands one message to the carrier. Must not throw. */
  readonly send: (body: string) => void;
  /**
   * Answers a request of the other side. A thrown RpcError becomes its error; anything else is a bug:
   * it is reported to `onBug` and answered as a bare internal error. A `RawResult` is sent as it is.
   */
  readonly onRequest: (method: string, params: unknown, context: RequestContext) => unknown;
  readonly onNotification: (method: string, params: unknown) => void;
  readonly onBug: (error: unknown, method: string) => void;
  /**
   * Says whether a message may be sent that waits for an answer, or is one. What it throws is what the asker gets,
   * here or there.
   */
  readonly assertSendable?: (body: string) => void;
  /** An answer of ours could not be written, or not be sent: an error is sent in its place. Default: `onBug`. */
  readonly onUnsendable?: (error: unknown, method: string) => void;
  /** A request of the other side was answered with an error, for this reason. */
  readonly onRequestFailed?: (reason: ErrorReason, method: string) => void;
  /** Hands a message whose end is not known yet to the carrier; needed where a StreamedResult is answered. */
  readonly sendStreamed?: (byteLength: number, body: AsyncIterable<string>) => void;
  /** A message was refused that is not JSON-RPC: neither a call nor an answer. */
  readonly onMalformed?: () => void;
  /** A call of the other side was refused unread. */
  readonly onUnread?: (head: FrameHead, error: RpcErrorBody) => void;
  /** How deep objects and arrays in a message of the other side may be nested; any depth when absent. */
  readonly maxDepth?: number;
}

export interface RequestContext {
  readonly id: RpcId;
  /** How long the request's text was, in UTF-16 units: about its bytes. */
  readonly length: number;
  /** Aborts when the other side cancels the request or the connection ends. */
  readonly signal: AbortSignal;
}

/** A result that is JSON text already; saves parsing what was stored as text. */
export class RawResult {
  readonly json: string;
  constructor(json: string) {
    this.json = json;
  }
}

/**
 * A result too large to hold: JSON text in parts. `byteLength` is announced before the first part is
 * known, so it must be at least what the parts come to; the rest is filled with white space.
 */
export class StreamedResult {
  readonly byteLength: number;
  readonly parts: AsyncIterable<string>;
  constructor(byteLength: number, parts: AsyncIterable<string>) {
    this.byteLength = byteLength;
    this.parts = parts;
  }
}

/** A request of the other side. Its signal is made for those who ask for it: most answers are there at once. */
class RunningRequest implements RequestContext {
  readonly id: RpcId;
  readonly length: number;
  #controller: AbortController | undefined;
  #aborted: Error | undefined;

  constructor(id: RpcId, length: number) {
    this.id = id;
    this.length = length;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#aborted ??= reason;
    this.#controller?.abort(reason);
  }
}

interface PendingRequest {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly cleanUp: () => void;
}

interface Incoming {
  id?: unknown;
  method?: unknown;
  params?: unknown;
  result?: unknown;
  error?: unknown;
}

export class Peer {
  readonly #handlers: PeerHandlers;
  readonly #pending = new Map<RpcId, PendingRequest>();
  readonly #running = new Map<RpcId, RunningRequest>();
  #nextId = 1;
  #closed = false;

  constructor(handlers: PeerHandlers) {
    this.#handlers = handlers;
  }

  /**
   * Takes one message of the other side. Never throws: a wrong message gets an error as its answer.
   * @returns whether it was an answer to a request of ours; who waits for it goes on in a microtask
   */
  receive(body: string): boolean {
    const { maxDepth } = this.#handlers;
    if (maxDepth !== undefined && isDeeperThan(body, maxDepth)) return this.#refuseDepth(body, maxDepth);
    let message: unknown;
    try {
      message = JSON.parse(body);
    } catch {
      return this.#refuseMessage(
        null,
        new RpcError("parse_error", "expected a JSON-RPC message, got text that is not JSON"),
      );
    }
    if (message === null || typeof message !== "object" || Array.isArray(message)) {
      const came = Array.isArray(message)
        ? "an array (batches are not supported)"
        : message === null
          ? "null"
          : typeof message;
      return this.#refuseMessage(
        null,
        new RpcError("invalid_request", `expected a JSON-RPC object, got ${came}`),
      );
    }
    const incoming = message as Incoming;
    if (typeof incoming.method === "string") {
      if (incoming.id === undefined) this.#receiveNotification(incoming.method, incoming.params);
      else this.#receiveRequest(incoming as Incoming & { method: string }, body.length);
      return false;
    }
    if ("result" in incoming || "error" in incoming) {
      this.#receiveAnswer(incoming);
      return true;
    }
    const id = isId(incoming.id) ? incoming.id : null;
    return this.#refuseMessage(
      id,
      new RpcError("invalid_request", "expected a 'method', a 'result' or an 'error'"),
    );
  }

  #refuseMessage(id: RpcId | null, error: RpcError): false {
    this.sendError(id, error.toBody());
    this.#handlers.onMalformed?.();
    return false;
  }

  /** Refuses a message unparsed. The side that waits for it is told: the asker there, or a request of ours. */
  #refuseDepth(body: string, maxDepth: number): boolean {
    const error = new RpcError(
      "invalid_request",
      `expected a message whose objects and arrays are nested at most ${maxDepth} deep, got a deeper one`,
      { limit: "depth", max: maxDepth },
    ).toBody();
    const id = scalarFieldOf(body, "id");
    const method = scalarFieldOf(body, "method");
    if (method === undefined && isId(id) && this.#pending.has(id)) {
      this.#receiveAnswer({ id, error });
      return true;
    }
    // What tells something waits for no answer.
    if (method === undefined || id !== undefined) this.sendError(id ?? null, error);
    if (method === undefined) this.#handlers.onMalformed?.();
    if (method !== undefined) this.#handlers.onUnread?.(readFrameHead(body), error);
    return false;
  }

  /**
   * Asks the other side. Rejects with RemoteError, ConnectionClosedError, the signal's reason, or a TypeError for
   * parameters that cannot be written as JSON.
   */
  request(method: string, params: unknown, signal?: AbortSignal): Promise<unknown> {
    if (this.#closed) return Promise.reject(new ConnectionClosedError());
    if (signal?.aborted) return Promise.reject(toError(signal.reason));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const body = writeRequest({ jsonrpc: "2.0", id, method, params });
      this.#handlers.assertSendable?.(body);
      const onAbort = () => {
        this.#pending.delete(id);
        this.notify("$/cancelRequest", { id });
        reject(toError(signal?.reason));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#pending.set(id, {
        resolve,
        reject,
        cleanUp: () => signal?.removeEventListener("abort", onAbort),
      });
      this.#handlers.send(body);
    });
  }

  notify(method: string, params: unknown): void {
    if (!this.#closed) this.#handlers.send(toJson({ jsonrpc: "2.0", method, params }));
  }

  /** Sends an error that answers no request (id null) or the request with that id. */
  sendError(id: RpcId | null, error: RpcErrorBody): void {
    if (!this.#closed) this.#handlers.send(toJson({ jsonrpc: "2.0", id, error }));
  }

  /** A message of the other side could not be read: whoever waits because of it, here or there, is told. */
  refuse(head: FrameHead, error: RpcErrorBody): void {
    const { id, isAnswer } = head;
    const pending = isAnswer && id !== undefined ? this.#pending.get(id) : undefined;
    if (!pending || id === undefined) {
      this.sendError(isAnswer ? null : (id ?? null), error);
      if (!isAnswer) this.#handlers.onUnread?.(head, error);
      return;
    }
    this.#pending.delete(id);
    pending.cleanUp();
    pending.reject(new RemoteError(error.code, `the answer could not be read: ${error.message}`, error.data));
  }

  /** Ends the conversation: our requests are rejected, the other side's handlers are aborted. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // Most end with nothing under way, and an error takes longer to make than all the rest.
    if (this.#pending.size === 0 && this.#running.size === 0) return;
    const error = new ConnectionClosedError();
    for (const pending of this.#pending.values()) {
      pending.cleanUp();
      pending.reject(error);
    }
    this.#pending.clear();
    for (const request of this.#running.values()) request.abort(error);
    this.#running.clear();
  }

  #receiveNotification(method: string, params: unknown): void {
    if (method === "$/cancelRequest") {
      const id = (params as { id?: unknown } | undefined)?.id;
      if (isId(id))
        this.#running.get(id)?.abort(new RpcError("request_cancelled", "the request was cancelled"));
      return;
    }
    try {
      this.#handlers.onNotification(method, params);
    } catch (error) {
      this.#handlers.onBug(error, method);
    }
  }

  #receiveRequest({ id, method, params }: Incoming & { method: string }, length: number): void {
    if (!isId(id)) {
      this.sendError(
        null,
        new RpcError("invalid_request", "expected an 'id' that is a string or a number").toBody(),
      );
      return;
    }
    if (this.#running.has(id)) {
      this.sendError(
        id,
        new RpcError(
          "invalid_request",
          `a request with the id ${JSON.stringify(id)} is still running`,
        ).toBody(),
      );
      return;
    }
    const request = new RunningRequest(id, length);
    this.#running.set(id, request);
    let answer: unknown;
    try {
      answer = this.#handlers.onRequest(method, params, request);
    } catch (error) {
      this.#fail(id, method, error);
      return;
    }
    if (answer instanceof Promise) {
      answer.then(
        (result) => this.#succeed(id, method, result),
        (error) => this.#fail(id, method, error),
      );
    } else {
      this.#succeed(id, method, answer);
    }
  }

  #succeed(id: RpcId, method: string, result: unknown): void {
    this.#running.delete(id);
    if (this.#closed) return;
    if (result instanceof StreamedResult) {
      this.#stream(id, result);
      return;
    }
    let body: string;
    try {
      const json = result instanceof RawResult ? result.json : toJson(result ?? null);
      body = `{"jsonrpc":"2.0","id":${toJson(id)},"result":${json}}`;
      this.#handlers.assertSendable?.(body);
    } catch (error) {
      this.#failToSend(id, method, error);
      return;
    }
    this.#handlers.send(body);
  }

  #failToSend(id: RpcId, method: string, error: unknown): void {
    const { onUnsendable, onBug, onRequestFailed } = this.#handlers;
    onRequestFailed?.("internal_error", method);
    (onUnsendable ?? onBug)(error, method);
    const why = `the answer to ${method} cannot be sent: ${toError(error).message}`;
    this.sendError(id, new RpcError("internal_error", why).toBody());
  }

  #stream(id: RpcId, result: StreamedResult): void {
    const head = `{"jsonrpc":"2.0","id":${toJson(id)},"result":`;
    const encoder = new TextEncoder();
    const headBytes = encoder.encode(head).byteLength;
    async function* body() {
      yield head;
      let written = 0;
      for await (const part of result.parts) {
        written += encoder.encode(part).byteLength;
        yield part;
      }
      const missing = result.byteLength - written;
      if (missing < 0)
        throw new Error(
          `a streamed result came to ${written} bytes where ${result.byteLength} were announced`,
        );
      yield `${" ".repeat(missing)}}`;
    }
    this.#handlers.sendStreamed?.(headBytes + result.byteLength + 1, body());
  }

  #fail(id: RpcId, method: string, error: unknown): void {
    this.#running.delete(id);
    if (error instanceof RpcError) {
      this.#handlers.onRequestFailed?.(error.reason, method);
      this.sendError(id, error.toBody());
      return;
    }
    this.#handlers.onRequestFailed?.("internal_error", method);
    this.#handlers.onBug(error, method);
    this.sendError(
      id,
      new RpcError(
        "internal_error",
        `internal error in ${method}; the server's log has the details`,
      ).toBody(),
    );
  }

  #receiveAnswer(message: Incoming): void {
    if (!isId(message.id)) return;
    const pending = this.#pending.get(message.id);
    if (!pending) return; // Answered twice, or too late: the first answer counted.
    this.#pending.delete(message.id);
    pending.cleanUp();
    if (message.error === undefined || message.error === null) {
      pending.resolve(message.result);
      return;
    }
    const {
      code,
      message: text,
      data,
    } = message.error as { code?: unknown; message?: unknown; data?: unknown };
    pending.reject(
      new RemoteError(
        typeof code === "number" ? code : 0,
        typeof text === "string" ? text : "unknown error",
        data,
      ),
    );
  }
}

/** @throws TypeError for what cannot be written, whatever its own `toJSON` throws. */
function writeRequest(request: { readonly method: string } & Record<string, unknown>): string {
  try {
    return toJson(request);
  } catch (cause) {
    throw new TypeError(`${request.method} cannot be sent: ${toError(cause).message}`, { cause });
  }
}

function isId(id: unknown): id is RpcId {
  return typeof id === "string" || typeof id === "number";
}

function toError(reason: unknown): Error {
  if (reason instanceof Error) return reason;
  return new Error(typeof reason === "string" ? reason : "aborted", { cause: reason });
}
