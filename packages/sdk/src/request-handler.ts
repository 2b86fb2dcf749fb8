/** The application between the server and its models: it may look at each request, change it, or answer it. */
import type { LlmInferenceHeaders } from "@rightseat/protocol";
import { callSafely } from "./callbacks.ts";

/** What is known of a request besides its content. */
export interface CopilotRequestContext {
  readonly requestId: string;
  readonly sessionId?: string;
  readonly agentId?: string;
  readonly parentAgentId?: string;
  readonly interactionType?: string;
  readonly transport: "http" | "websocket";
  url: string;
  headers: LlmInferenceHeaders;
  /** Aborts when the server does not want the answer any more. */
  readonly signal: AbortSignal;
}

/** How a WebSocket ended: in order, or with an error. */
export class CopilotWebSocketCloseStatus {
  static readonly normalClosure = new CopilotWebSocketCloseStatus();
  readonly description?: string;
  readonly errorCode?: string;
  readonly error?: Error;
  constructor(description?: string, errorCode?: string, error?: Error) {
    this.description = description;
    this.errorCode = errorCode;
    this.error = error;
  }
}

/** The server's end of a WebSocket; set on the context that a handler is made with. */
export interface WebSocketAnswer {
  readonly send: (data: string | Uint8Array) => Promise<void>;
  readonly end: (error?: { message: string; code?: string }) => Promise<void>;
}

/** The answers of the WebSockets that are open, by their context. */
const answers = /* @__PURE__ */ new WeakMap<CopilotRequestContext, WebSocketAnswer>();

/** @internal */
export function setWebSocketAnswer(context: CopilotRequestContext, answer: WebSocketAnswer): void {
  answers.set(context, answer);
}

/** A WebSocket that the application serves itself. Use `CopilotWebSocketForwarder` to pass one on. */
export abstract class CopilotWebSocketHandler implements AsyncDisposable {
  protected readonly context: CopilotRequestContext;
  readonly #answer: WebSocketAnswer;
  #ended: (status: CopilotWebSocketCloseStatus) => void = () => undefined;
  #isClosed = false;
  /** Settles with the way it ended. */
  readonly closed: Promise<CopilotWebSocketCloseStatus>;

  protected constructor(context: CopilotRequestContext) {
    const answer = answers.get(context);
    if (!answer) throw new Error("a WebSocket handler is made with the context that openWebSocket was given");
    this.context = context;
    this.#answer = answer;
    this.closed = new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  /** A message of the server to the model. */
  abstract sendRequestMessage(data: string | Uint8Array): Promise<void> | void;

  /** Called once before the first message; a forwarder connects here. */
  open(): Promise<void> {
    return Promise.resolve();
  }

  /** Sends a message of the model to the server. */
  async sendResponseMessage(data: string | Uint8Array): Promise<void> {
    await this.#answer.send(data);
  }

  /** Ends it; the server is told why. Further calls change nothing. */
  async close(
    status: CopilotWebSocketCloseStatus = CopilotWebSocketCloseStatus.normalClosure,
  ): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { error, description, errorCode } = status;
    await this.#answer.end(error && { message: description ?? error.message, code: errorCode });
    this.#ended(status);
  }

  /** The same as `close`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Passes a WebSocket on to the model's own server. Override a method and call `super` to change what passes. */
export class CopilotWebSocketForwarder extends CopilotWebSocketHandler {
  #upstream: WebSocket | undefined;

  constructor(context: CopilotRequestContext) {
    super(context);
  }

  override sendRequestMessage(data: string | Uint8Array): void {
    if (this.#upstream?.readyState === WebSocket.OPEN) this.#upstream.send(data);
  }

  override open(): Promise<void> {
    const upstream = new WebSocket(this.context.url);
    upstream.binaryType = "arraybuffer";
    this.#upstream = upstream;
    // The server may be out of reach, and a subclass may fail: whoever opened it closes it once more, and is told.
    const closeQuietly = (status?: CopilotWebSocketCloseStatus) =>
      callSafely(
        () => this.close(status),
        () => undefined,
      );
    const fail = (error: Error) =>
      closeQuietly(new CopilotWebSocketCloseStatus(error.message, undefined, error));
    upstream.addEventListener("message", ({ data }) => {
      const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : String(data);
      callSafely(() => this.sendResponseMessage(bytes), fail);
    });
    upstream.addEventListener("close", () => closeQuietly());
    return new Promise((resolve, reject) => {
      upstream.addEventListener("open", () => resolve());
      upstream.addEventListener("error", () => {
        const error = new Error("WebSocket error");
        reject(error);
        fail(error);
      });
    });
  }

  /** Ends both sides. */
  override async close(status?: CopilotWebSocketCloseStatus): Promise<void> {
    this.#upstream?.close();
    await super.close(status);
  }
}

/** Passes everything on as it is; override what is to be different. */
export class CopilotRequestHandler {
  /** Sends an HTTP request to the model. Override it to change the request or its answer, or to answer it. */
  protected sendRequest(request: Request, context: CopilotRequestContext): Promise<Response> {
    return fetch(request, { signal: context.signal });
  }

  /** Opens a WebSocket to the model. Override it to serve the socket yourself. */
  protected openWebSocket(context: CopilotRequestContext): Promise<CopilotWebSocketHandler> {
    return Promise.resolve(new CopilotWebSocketForwarder(context));
  }
}
