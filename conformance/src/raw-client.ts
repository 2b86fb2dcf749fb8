import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encodeFrame, FrameSplitter, type WireMessage } from "./frames.ts";

/** A client that sends what no SDK would. */
export class RawClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #splitter = new FrameSplitter();
  readonly #received: WireMessage[] = [];
  readonly #waiters = new Set<() => void>();
  #closed = false;
  #nextId = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (piece) => {
      for (const body of this.#splitter.push(piece)) this.#received.push(JSON.parse(body) as WireMessage);
      this.#changed();
    });
    socket.on("close", () => {
      this.#closed = true;
      this.#changed();
    });
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** The whole answer, be it a result or an error. */
  async request(method: string, params?: unknown): Promise<WireMessage> {
    const id = this.#nextId++;
    this.sendBody(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return this.receive((message) => message.id === id);
  }

  sendBody(body: string): void {
    this.#socket.write(encodeFrame(body));
  }

  sendBytes(bytes: string): void {
    this.#socket.write(bytes);
  }

  /** The first message that fits, of those that came and are to come. */
  async receive(fits: (message: WireMessage) => boolean): Promise<WireMessage> {
    for (;;) {
      const found = this.#received.find(fits);
      if (found !== undefined) return found;
      if (this.#closed) throw new Error("the server closed the connection");
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  async untilClosed(): Promise<void> {
    while (!this.#closed) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.end();
    await this.untilClosed();
  }

  #changed(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}
