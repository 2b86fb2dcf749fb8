/** The connections of a server: taken up to a limit, ended when their time or their right is over. */
import type { Duplex } from "node:stream";
import { RpcError } from "@rightseat/protocol";
import { Newcomers } from "../strangers/newcomers.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { LoopShares } from "./loop-share.ts";
import type { Principal } from "./principal.ts";

export interface ConnectionsOptions extends Omit<ConnectionOptions, "onAdmitted" | "shareOf"> {
  readonly maxConnections: number;
  /** How many connections a tenant may have; undefined for as many as there are. */
  readonly maxConnectionsOf: (tenant: string) => number | undefined;
  /** Whether a principal who was admitted still would be. */
  readonly confirms: (principal: Principal) => boolean;
  /** How long a client has to say who it is; default 10 s. */
  readonly introductionMs?: number;
  /** How soon after its right ended a connection ends; default 1 s. */
  readonly sweepMs?: number;
}

const INTRODUCTION_MS = 10_000;
const SWEEP_MS = 1_000;
/** What a connection is besides what waits in it. */
const CONNECTION_BYTES = 8_192;
/** Places become free when others go: nobody knows when. */
const TRY_AGAIN_MS = 1_000;
/** How many are let in beyond the maximum to say who they are: their tenant may have fewer than its share. */
const GUESTS = 16;

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #connectionOptions: ConnectionOptions;
  readonly #open = new Set<Connection>();
  /** Those who have not said who they are. */
  readonly #strangers = new Newcomers<Connection>();
  /** The others, by tenant; the newest last. */
  readonly #byTenant = new Map<string, Set<Connection>>();
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const shares = new LoopShares();
    this.#connectionOptions = {
      ...options,
      shareOf: (tenant) => shares.of(tenant),
      onAdmitted: (connection, { tenant }) => this.#admit(connection, tenant),
      onClose: (connection) => {
        this.#forget(connection);
        options.onClose(connection);
      },
    };
  }

  /** As many as may be. */
  get max(): number {
    return this.#options.maxConnections;
  }

  get size(): number {
    return this.#open.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#open.values();
  }

  /** Those of a tenant's clients. */
  of(tenant: string): Iterable<Connection> {
    return this.#byTenant.get(tenant) ?? [];
  }

  /** About how much memory a tenant's connections take, with what waits for its clients to read. */
  heldBytes(tenant: string): number {
    let bytes = 0;
    for (const connection of this.#byTenant.get(tenant) ?? [])
      bytes += CONNECTION_BYTES + connection.waitingBytes;
    return bytes;
  }

  /** Serves a client; one too many is hung up on. */
  accept(stream: Duplex): void {
    const anybody = this.#options.gate.anonymous();
    if (!this.#makeRoom(anybody?.tenant)) {
      this.#options.log.seldom("connections were refused: there are as many as may be", {
        maxConnections: this.#options.maxConnections,
      });
      stream.on("error", () => undefined);
      stream.destroy();
      return;
    }
    const connection = new Connection(stream, this.#connectionOptions);
    this.#open.add(connection);
    if (anybody) {
      this.#addTo(anybody.tenant, connection);
      return;
    }
    this.#strangers.add(connection, connection.remoteAddress);
    this.#startSweeping();
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

  /** Whether there is a place for one more. @param tenant of somebody who need not say who it is. */
  #makeRoom(tenant: string | undefined): boolean {
    const { maxConnections, maxConnectionsOf } = this.#options;
    if (
      tenant !== undefined &&
      this.#countOf(tenant) >= (maxConnectionsOf(tenant) ?? Number.POSITIVE_INFINITY)
    )
      return false;
    if (this.#open.size < maxConnections) return true;
    if (tenant !== undefined) return false;
    this.#strangers.first()?.close("its place was needed, and it had not said who it is");
    return this.#open.size < maxConnections || this.#open.size - maxConnections < GUESTS;
  }

  /** @throws RpcError `limit_exceeded`. */
  #admit(connection: Connection, tenant: string): void {
    const { maxConnections, maxConnectionsOf } = this.#options;
    const max = maxConnectionsOf(tenant);
    if (max !== undefined && this.#countOf(tenant) >= max)
      throw exceeded("connections", max, `the tenant's limit is reached: ${max} connections are open`);
    if (this.#open.size > maxConnections) this.#takePlaceFor(tenant);
    this.#strangers.delete(connection);
    this.#addTo(tenant, connection);
  }

  /** The server is full: whoever has most gives its newest place to a tenant that has fewer. @throws RpcError. */
  #takePlaceFor(tenant: string): void {
    const { maxConnections, log } = this.#options;
    let greediest = tenant;
    for (const [other, { size }] of this.#byTenant) if (size > this.#countOf(greediest)) greediest = other;
    if (this.#countOf(greediest) <= this.#countOf(tenant) + 1)
      throw exceeded(
        "maxConnections",
        maxConnections,
        "the server is full: as many clients are connected as may",
      );
    log.seldom(
      "a connection was ended for another tenant: the server is full",
      { tenant: greediest },
      greediest,
    );
    const newest = [...(this.#byTenant.get(greediest) ?? [])].at(-1);
    newest?.close("the server is full, and the tenant has more connections than its share");
  }

  #countOf(tenant: string): number {
    return this.#byTenant.get(tenant)?.size ?? 0;
  }

  #addTo(tenant: string, connection: Connection): void {
    const others = this.#byTenant.get(tenant);
    if (others) others.add(connection);
    else this.#byTenant.set(tenant, new Set([connection]));
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection);
    this.#strangers.delete(connection);
    const { principal } = connection;
    const others = principal && this.#byTenant.get(principal.tenant);
    others?.delete(connection);
    if (others?.size === 0) this.#byTenant.delete(principal?.tenant as string);
    if (this.#open.size === 0) this.#stopSweeping();
  }

  #startSweeping(): void {
    this.#sweeper ??= setInterval(() => this.sweep(), this.#options.sweepMs ?? SWEEP_MS).unref();
  }

  #stopSweeping(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}

function exceeded(limit: string, max: number, message: string): RpcError {
  return new RpcError("limit_exceeded", `${message} (${limit})`, { limit, max, retryAfterMs: TRY_AGAIN_MS });
}
