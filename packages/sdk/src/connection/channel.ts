/** One live connection: frames in and out, requests both ways. Ends once, for one reason; never comes back. */
import type { Readable, Writable } from "node:stream";
import {
  ErrorCode,
  FrameDecoder,
  type FramingError,
  Peer,
  type PeerHandlers,
  type RequestContext,
  RpcError,
} from "@rightseat/protocol";
import { ConnectionError, RemoteError, toError } from "../errors.ts";
import { FrameWriter } from "./frame-writer.ts";

/** The bytes of a connection: a socket for both, or the pipes of a process. */
export interface ByteStreams {
  readonly input: Readable;
  readonly output: Writable;
}

export interface ChannelHandlers {
  /** Answers a request of the server. What it throws is told to the server with its message. */
  readonly onRequest: (method: string, params: unknown, context: RequestContext) => unknown;
  readonly onNotification: (method: string, params: unknown) => void;
  /** An answer to the server could not be sent; the server was told that it failed. */
  readonly onUnsendable: (method: string, error: Error) => void;
  /** Called once, after every request that waited has been rejected. */
  readonly onClose: (channel: Channel, reason: Error) => void;
}

/** Above what JavaScript can hold as one string nothing can be read. */
const MAX_FRAME_BYTES = 512 * 1024 * 1024;

export class Channel {
  readonly #streams: ByteStreams;
  readonly #handlers: ChannelHandlers;
  readonly #peer: Peer;
  readonly #onEnd = () => {
    // What has come before the end counts.
    if (this.#resting) setImmediate(this.#onEnd);
    else this.close(new ConnectionError("the server closed the connection"));
  };
  readonly #onError = (error: Error) => this.close(error);
  /** Messages that have come and not been looked at. */
  #arrived: string[] = [];
  #resting = false;
  #waiting = 0;
  #answered = 0;
  #closeReason: Error | undefined;
  readonly #writer: FrameWriter;
  #heardMs = performance.now();
  /** The largest message that the server takes, in bytes. */
  maxSentBytes = Number.POSITIVE_INFINITY;
  /** Called after each request of ours has gone out. */
  onAsked: (() => void) | undefined;

  constructor(streams: ByteStreams, handlers: ChannelHandlers) {
    this.#streams = streams;
    this.#handlers = handlers;
    this.#writer = new FrameWriter(streams.output);
    this.#peer = new Peer(this.#peerHandlers());
    const decoder = new FrameDecoder({
      maxFrameBytes: MAX_FRAME_BYTES,
      onFrame: (body) => this.#arrived.push(body),
      onError: (error) => this.#onUnreadable(error),
    });
    streams.input.on("data", (chunk: Uint8Array) => {
      this.#heardMs = performance.now();
      decoder.push(chunk);
      if (!this.#resting) this.#readOn();
    });
    streams.input.on("end", this.#onEnd).on("close", this.#onEnd).on("error", this.#onError);
    if (streams.output !== (streams.input as unknown))
      streams.output.on("close", this.#onEnd).on("error", this.#onError);
  }

  get isOpen(): boolean {
    return this.#closeReason === undefined;
  }

  /** When anything last came from the server, or went on its way to it; milliseconds of a monotonic clock. */
  get heardMs(): number {
    return Math.max(this.#heardMs, this.#writer.movedMs);
  }

  /** Requests of ours that wait for an answer. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Requests of ours that were answered, with a result or an error. */
  get answered(): number {
    return this.#answered;
  }

  /** Asks the server. Rejects with a RemoteError, ConnectionClosedError when the connection went, or the signal's reason. */
  async request(method: string, params: unknown, signal?: AbortSignal): Promise<unknown> {
    this.#waiting += 1;
    try {
      const answered = this.#peer.request(method, params, signal);
      this.onAsked?.();
      const result = await answered;
      this.#answered += 1;
      return result;
    } catch (error) {
      if (this.isOpen) this.#answered += 1;
      const { cause } = this.#closeReason ?? {};
      if ((cause as Error | undefined)?.name === "FramingError") throw this.#closeReason;
      throw error;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Ends the connection at once. Further calls change nothing. */
  close(reason: Error): void {
    if (this.#closeReason) return;
    this.#closeReason = reason;
    this.#peer.close();
    const { input, output } = this.#streams;
    output.destroy();
    input.destroy();
    this.#handlers.onClose(this, reason);
  }

  /** Ends the connection after what was said has gone out; resolves when it has ended. */
  end(reason: Error, withinMs: number): Promise<void> {
    const { input, output } = this.#streams;
    if (!this.isOpen || output.destroyed) {
      this.close(reason);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.close(reason);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      input.once("close", done);
      this.#writer.whenIdle(() => output.end(done));
    });
  }

  /** Whoever waits for it is told; the connection goes on where the next message is known to begin. */
  #onUnreadable(error: FramingError): void {
    if (!error.fatal && error.head.isAnswer && error.head.id !== undefined)
      this.#peer.refuse(error.head, new RpcError("frame_too_large", error.message).toBody());
    else this.close(new ConnectionError(error.message, { cause: error, maybeDone: true }));
  }

  /** @throws RemoteError as the server would answer it. */
  #assertSendable(body: string): void {
    // Each unit of a string has at most three bytes: most are not counted.
    if (body.length * 3 <= this.maxSentBytes) return;
    const bytes = Buffer.byteLength(body);
    if (bytes <= this.maxSentBytes) return;
    const data = { reason: "frame_too_large", max: this.maxSentBytes };
    const message = `expected a message of at most ${this.maxSentBytes} bytes, got one of ${bytes}; it was not sent`;
    throw new RemoteError(ErrorCode.invalidRequest, message, data);
  }

  /**
   * Looks at what has come, in order. Whoever waited for an answer has gone on with it before the message
   * behind it is looked at: what is told right after an answer finds its listeners.
   */
  #readOn(): void {
    this.#resting = false;
    const messages = this.#arrived;
    for (let at = 0; at < messages.length && this.isOpen; at++) {
      const wasAnswer = this.#peer.receive(messages[at] as string);
      if (wasAnswer && at + 1 < messages.length) {
        this.#arrived = messages.slice(at + 1);
        this.#resting = true;
        setImmediate(() => this.#readOn());
        return;
      }
    }
    this.#arrived = [];
  }

  #peerHandlers(): PeerHandlers {
    return {
      send: (body) => {
        const { output } = this.#streams;
        if (!output.destroyed && !output.writableEnded) this.#writer.write(body);
      },
      assertSendable: (body) => this.#assertSendable(body),
      onUnsendable: (error, method) => this.#handlers.onUnsendable(method, toError(error)),
      onRequest: (method, params, context) => {
        // A failure of the application's code is answered with its message: the server is its own.
        try {
          const answer = this.#handlers.onRequest(method, params, context);
          return answer instanceof Promise ? answer.catch(fail) : answer;
        } catch (error) {
          return fail(error);
        }
      },
      onNotification: this.#handlers.onNotification,
      onBug: (error) => this.close(toError(error)),
    };
  }
}

function fail(error: unknown): never {
  if (error instanceof RpcError) throw error;
  const { message } = toError(error);
  throw new RpcError("internal_error", message, {}, { cause: error });
}
