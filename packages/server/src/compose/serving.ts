/** The server as whoever started it uses it: listen, hand over streams, reload, shut down. */
import type { Duplex } from "node:stream";
import type { Announcements } from "../announcements/announcements.ts";
import type { Config } from "../config/load-config.ts";
import type { Governor } from "../limits/governor.ts";
import type { Connections } from "../rpc/connections.ts";
import type { Places } from "../session/abilities/workspace/places.ts";
import type { QuickAck } from "../transport/quick-ack.ts";
import type { Access } from "./access.ts";
import type { Ending } from "./ending.ts";
import type { FieldChecks } from "./field-checks.ts";
import type { Listening } from "./listening.ts";
import type { ServerContext } from "./server-context.ts";
import { warmUp } from "./warm-up.ts";

export interface RightseatServer {
  /** Starts listening on TCP; resolves with the port. Rejects with the system's error. */
  listen(): Promise<number>;
  /** The port for operators, once it listens. */
  readonly httpPort: number | undefined;
  /** Serves one client on a stream. */
  accept(stream: Duplex): void;
  /**
   * Takes over what may change while the server runs: who may connect, the limits, where tenants work, and the certificates. Connections
   * of those who may no longer are ended; all others stay.
   * @throws the system's, or OpenSSL's, error when a certificate cannot be used; the old one stays.
   */
  reload(config: Config): void;
  /**
   * Ends in order: no new connections, running turns get their grace, which is no longer than is said, the log is flushed.
   * @returns false when the store stopped answering meanwhile.
   */
  shutdown(mostGraceMs?: number): Promise<boolean>;
  /** Settles when a client asked the server to end, and its sessions are closed. */
  readonly shutdownRequested: Promise<void>;
  /** Settles when what the first session needs is loaded; only a server that listens loads it ahead. */
  readonly warmedUp: Promise<void>;
  /** The events of this node. */
  readonly announcements: Announcements;
}

/** Clients have so long to be sent what was said last. */
const LAST_WORDS_MS = 1000;

export interface ServingParts {
  readonly access: Access;
  readonly governor: Governor;
  readonly places: Places;
  readonly connections: Connections;
  readonly listening: Listening;
  readonly ending: Ending;
  readonly checks: FieldChecks;
  readonly quickAck: QuickAck;
  /** What else the first session needs. */
  readonly loads: readonly (() => Promise<unknown>)[];
}

export function createServing(
  { announcements, seldomLines }: ServerContext,
  parts: ServingParts,
): RightseatServer {
  const { access, governor, places, connections, listening, ending, checks, quickAck, loads } = parts;
  let warmedUp = Promise.resolve();
  return {
    accept: (stream) => connections.accept(stream),
    shutdownRequested: ending.requested,
    announcements,
    listen: async () => {
      const port = await listening.listen();
      // Soon, so that no client waits for them; not at once, so that the first answer does not.
      warmedUp = warmUp([() => checks.validators.load(), () => quickAck.load(), ...loads]);
      return port;
    },
    get warmedUp() {
      return warmedUp;
    },
    get httpPort() {
      return listening.httpPort;
    },
    reload: (changed) => {
      listening.reloadTls();
      access.reload(changed.access);
      governor.reload(changed.limits);
      places.reload(changed.tenants);
      connections.sweep();
    },
    shutdown: async (mostGraceMs) => {
      const inOrder = await ending.begin(mostGraceMs);
      await Promise.race([
        Promise.all([...connections].map((connection) => connection.flushed())),
        new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS).unref()),
      ]);
      for (const connection of connections) connection.close("the server is shutting down");
      listening.closeOperations();
      seldomLines.close();
      return inOrder;
    },
  };
}
