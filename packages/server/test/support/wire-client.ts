/** A client on the bare wire: what SDKs do, with nothing hidden. */
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { encodeFrame, FrameDecoder, Peer } from "@rightseat/protocol";

export interface WireEvent {
  readonly id: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect
  readonly data: any;
  readonly ephemeral?: boolean;
  readonly parentId: string | null;
}

type Answerer = (params: Record<string, unknown>) => unknown;

export class WireClient {
  readonly events = new Map<string, WireEvent[]>();
  readonly lifecycle: { type: string; sessionId: string }[] = [];
  /** Errors that answered no request of ours. */
  readonly strayErrors: { code: number; message: string; data?: unknown }[] = [];
  /** Answers requests of the server by method. */
  readonly answers = new Map<string, Answerer>();
  readonly stream: Duplex;
  /** Settles when the connection has ended. */
  readonly ended: Promise<void>;
  readonly #peer: Peer;
  readonly #watchers = new Set<() => void>();

  constructor(stream: Duplex) {
    this.stream = stream;
    this.#peer = new Peer({
      send: (body) => stream.write(encodeFrame(body)),
      onRequest: (method, params) => {
        const answer = this.answers.get(method);
        if (!answer) throw new Error(`the test answers no ${method}`);
        return answer(params as Record<string, unknown>);
      },
      onNotification: (method, params) => this.#onNotification(method, params),
      onBug: () => undefined,
    });
    const decoder = new FrameDecoder({
      maxFrameBytes: 1 << 30,
      onFrame: (body) => this.#onFrame(body),
      onError: (error) => stream.destroy(error),
    });
    stream.on("data", (chunk: Uint8Array) => decoder.push(chunk));
    stream.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      stream.on("close", () => {
        this.#peer.close();
        this.#wake();
        resolve();
      });
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect
  request(method: string, params: unknown = {}, signal?: AbortSignal): Promise<any> {
    return this.#peer.request(method, params, signal);
  }

  of(sessionId: string): WireEvent[] {
    return this.events.get(sessionId) ?? [];
  }

  /** Resolves when the condition holds; looked at again after every message. Rejects when the connection ends first. */
  async until<T>(condition: () => T | undefined | false): Promise<T> {
    for (;;) {
      const value = condition();
      if (value !== undefined && value !== false) return value;
      if (this.stream.destroyed) throw new Error("the connection ended before the condition held");
      await new Promise<void>((resolve) => {
        const watch = () => {
          this.#watchers.delete(watch);
          resolve();
        };
        this.#watchers.add(watch);
      });
    }
  }

  /** The next event of a type, from those that came after `after` events. */
  event(sessionId: string, type: string, after = 0): Promise<WireEvent> {
    return this.until(() =>
      this.of(sessionId)
        .slice(after)
        .find((event) => event.type === type),
    );
  }

  /** Sends a prompt and waits until the session is idle again; the last assistant message. */
  async ask(sessionId: string, prompt: string, more: object = {}): Promise<string | undefined> {
    const before = this.of(sessionId).length;
    await this.request("session.send", { sessionId, prompt, ...more });
    await this.event(sessionId, "session.idle", before);
    return this.of(sessionId)
      .slice(before)
      .filter((event) => event.type === "assistant.message")
      .at(-1)?.data.content;
  }

  close(): Promise<void> {
    this.stream.destroy();
    return this.ended;
  }

  #onFrame(body: string): void {
    const message = JSON.parse(body) as { id?: unknown; error?: { code: number; message: string } };
    if (message.error && (message.id === null || message.id === undefined))
      this.strayErrors.push(message.error);
    else this.#peer.receive(body);
    this.#wake();
  }

  #onNotification(method: string, params: unknown): void {
    if (method === "session.lifecycle") this.lifecycle.push(params as { type: string; sessionId: string });
    if (method !== "session.event") return;
    const { sessionId, event } = params as { sessionId: string; event: WireEvent };
    const events = this.events.get(sessionId);
    if (events) events.push(event);
    else this.events.set(sessionId, [event]);
  }

  #wake(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}

export function connectTcp(port: number): Promise<WireClient> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(new WireClient(socket));
    });
  });
}
