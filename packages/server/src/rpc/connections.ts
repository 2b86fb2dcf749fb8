/** The connections of a server: taken up to a limit, ended when their time or their right is over. */
import type { Duplex } from "node:stream";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { Principal } from "./principal.ts";

export interface ConnectionsOptions extends ConnectionOptions {
  readonly maxConnections: number;
  /** Whether a principal who was admitted still would be. */
  readonly confirms: (principal: Principal) => boolean;
  /** How long a client has to say who it is; default 10 s. */
  readonly introductionMs?: number;
  /** How soon after its right ended a connection ends; default 1 s. */
  readonly sweepMs?: number;
}

const INTRODUCTION_MS = 10_000;
const SWEEP_MS = 1_000;
const TELL_REFUSED_MS = 1_000;

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #open = new Set<Connection>();
  #sweeper: NodeJS.Timeout | undefined;
  /** Since it was last told. */
  #refused = 0;
  #refusedToldMs = Number.NEGATIVE_INFINITY;

  constructor(options: ConnectionsOptions) {
    this.#options = {
      ...options,
      onClose: (connection) => {
        this.#open.delete(connection);
        if (this.#open.size === 0) this.#stopSweeping();
        options.onClose(connection);
      },
    };
  }

  get size(): number {
    return this.#open.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#open.values();
  }

  /** Serves a client; one too many is hung up on. */
  accept(stream: Duplex): void {
    if (this.#open.size >= this.#options.maxConnections) {
      this.#tellRefused();
      stream.on("error", () => undefined);
      stream.destroy();
      return;
    }
    this.#open.add(new Connection(stream, this.#options));
    if (this.#options.gate.anonymous() === undefined) this.#startSweeping();
  }

  /** Ends the connections whose principal is admitted no longer. */
  sweep(): void {
    const now = performance.now();
    const { introductionMs = INTRODUCTION_MS } = this.#options;
    for (const connection of [...this.#open]) {
      const { principal } = connection;
      if (principal === undefined) {
        if (now - connection.openedMs > introductionMs) connection.close("the client did not say who it is");
      } else if (!this.#options.confirms(principal)) {
        this.#options.log.warning("a connection ended: its token has expired or was revoked", {
          connection: connection.id,
          principal: principal.name,
          tenant: principal.tenant,
        });
        connection.close("the connection token has expired or was revoked");
      }
    }
  }

  /** Once a second at the most: who floods the port must not flood the log. */
  #tellRefused(): void {
    this.#refused += 1;
    const now = performance.now();
    if (now - this.#refusedToldMs < TELL_REFUSED_MS) return;
    this.#options.log.warning("connections were refused: there are as many as may be", {
      maxConnections: this.#options.maxConnections,
      refused: this.#refused,
    });
    this.#refused = 0;
    this.#refusedToldMs = now;
  }

  #startSweeping(): void {
    this.#sweeper ??= setInterval(() => this.sweep(), this.#options.sweepMs ?? SWEEP_MS).unref();
  }

  #stopSweeping(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}
