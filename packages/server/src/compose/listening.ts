/** Where the node listens: for clients on TCP, and for operators on HTTP. */
import type { HttpPort } from "../http/http-server.ts";
import type { Connections } from "../rpc/connections.ts";
import { listenTcp, type TcpServer } from "../transport/tcp-server.ts";
import type { ServerContext } from "./server-context.ts";

/** Besides the connections that are served, so many may be agreeing on TLS. */
const PART_FOR_HANDSHAKES = 0.1;
const LEAST_HANDSHAKES = 16;

export interface Listening {
  /** Resolves with the port for clients. Rejects with the system's error. */
  listen(): Promise<number>;
  /** The port for operators, once it listens. */
  readonly httpPort: number | undefined;
  /** @throws the system's, or OpenSSL's, error when a certificate cannot be used; the old one stays. */
  reloadTls(): void;
  /** Operators may look until all is over. */
  closeOperations(): void;
}

/** No new connections are taken once the node ends. */
export function createListening(
  { announcements, config, seldomLines }: ServerContext,
  connections: Connections,
  openOperations: (port: number) => Promise<HttpPort>,
): Listening {
  let tcp: TcpServer | undefined;
  let operations: HttpPort | undefined;
  announcements.subscribe({ "node-stopping": () => tcp?.stopListening() });
  return {
    listen: async () => {
      tcp = await listenTcp({
        host: config.host,
        port: config.port,
        onConnection: (stream) => connections.accept(stream),
        tls: config.tls,
        maxHandshakes: Math.max(LEAST_HANDSHAKES, Math.floor(connections.max * PART_FOR_HANDSHAKES)),
        onTlsError: (error, remoteAddress) =>
          seldomLines.write("a client could not be talked to in TLS", { remoteAddress, why: error.message }),
      });
      if (config.httpPort !== undefined) operations = await openOperations(config.httpPort);
      return tcp.port;
    },
    get httpPort() {
      return operations?.port;
    },
    reloadTls: () => tcp?.reloadTls(),
    closeOperations: () => operations?.close(),
  };
}
