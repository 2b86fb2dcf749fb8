import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** How likely each fault is, 0 to 1, for every piece of data that passes. */
export interface FaultRates {
  /** The connection is cut, at any byte of the piece. */
  readonly cut?: number;
  /** The piece's receiver is told that its sender is done, and gets nothing more. */
  readonly halfClose?: number;
  /** The piece, and what follows it, is held back for a while. */
  readonly delay?: number;
  /** A new connection is accepted and closed. */
  readonly refuse?: number;
}

export interface FaultProxyOptions {
  readonly port: number;
  /** The same numbers each time make for the same kind of bad luck. */
  readonly random: () => number;
  readonly rates?: FaultRates;
  readonly maxDelayMs?: number;
}

/** From the client to the server, back, or both. */
export type Way = "up" | "down" | "both";

/** One connection of a client, and the one that it goes on. */
interface Pair {
  readonly cut: () => void;
  swallows?: Way;
}

/** A bad network between a client and a server: real TCP on 127.0.0.1. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number;
  /** Faults so far, by kind. */
  readonly faults: Readonly<Record<keyof FaultRates, number>>;
  /** Connections of clients open now, and ever. */
  readonly open: number;
  readonly accepted: number;
  /** From now on connections are made to another port. */
  retarget(port: number): void;
  /** From now on these faults happen; none without. */
  setRates(rates: FaultRates): void;
  /** Cuts every connection. */
  cutAll(): void;
  /** From now on nothing passes, and nothing is closed either: a server that is gone without a word. */
  freeze(): void;
  /** What was held back by `freeze` passes, and everything after it. */
  thaw(): void;
  /** From now on, what comes over the connections that are open is taken and goes nowhere. New ones are as they should be. */
  swallow(way: Way): void;
  /** Resolves once the condition holds; looked at again after whatever happens here. */
  until(condition: (proxy: FaultProxy) => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new TcpFaultProxy(options);
  await proxy.listen();
  return proxy;
}

class TcpFaultProxy implements FaultProxy {
  readonly faults = { cut: 0, halfClose: 0, delay: 0, refuse: 0 };
  port = 0;
  accepted = 0;
  #target: number;
  #rates: FaultRates;
  #thawed: Promise<void> | undefined;
  #thaw: () => void = () => undefined;
  readonly #options: FaultProxyOptions;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #waiters = new Set<() => void>();

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#target = options.port;
    this.#rates = options.rates ?? {};
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  get open(): number {
    return this.#pairs.size;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = (this.#server.address() as AddressInfo).port;
  }

  retarget(port: number): void {
    this.#target = port;
  }

  setRates(rates: FaultRates): void {
    this.#rates = rates;
  }

  cutAll(): void {
    for (const { cut } of [...this.#pairs]) cut();
  }

  swallow(way: Way): void {
    for (const pair of this.#pairs) pair.swallows = way;
  }

  freeze(): void {
    this.#thawed ??= new Promise((resolve) => {
      this.#thaw = resolve;
    });
  }

  thaw(): void {
    this.#thawed = undefined;
    this.#thaw();
  }

  async until(condition: (proxy: FaultProxy) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiters.add(resolve));
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.thaw();
    this.cutAll();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #changed(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }

  #happens(fault: keyof FaultRates): boolean {
    const rate = this.#rates[fault];
    if (rate === undefined || this.#options.random() >= rate) return false;
    this.faults[fault] += 1;
    return true;
  }

  #accept(client: Socket): void {
    this.accepted += 1;
    client.on("error", () => undefined);
    if (this.#happens("refuse")) {
      client.destroy();
      this.#changed();
      return;
    }
    const server = connect({ port: this.#target, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    const cut = () => {
      client.destroy();
      server.destroy();
      if (this.#pairs.delete(pair)) this.#changed();
    };
    const pair: Pair = { cut };
    this.#pairs.add(pair);
    server.on("error", cut);
    client.once("close", cut);
    server.once("close", cut);
    void this.#pass(client, server, { pair, way: "up" });
    void this.#pass(server, client, { pair, way: "down" });
    this.#changed();
  }

  /** Passes data on, one way, until its end. */
  async #pass(from: Socket, to: Socket, { pair, way }: { pair: Pair; way: Way }): Promise<void> {
    const { cut } = pair;
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        if (this.#thawed) await this.#thawed;
        this.#changed();
        if (pair.swallows === way || pair.swallows === "both") continue;
        if (this.#happens("cut")) {
          const part = piece.subarray(0, Math.floor(this.#options.random() * piece.byteLength));
          to.write(part, cut);
          return;
        }
        if (this.#happens("halfClose")) {
          to.end();
          return;
        }
        if (this.#happens("delay")) await this.#waitSome();
        if (to.destroyed) return;
        if (!to.write(piece)) await drained(to);
      }
      to.end();
    } catch {
      cut();
    }
  }

  #waitSome(): Promise<void> {
    const ms = this.#options.random() * (this.#options.maxDelayMs ?? 20);
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}
