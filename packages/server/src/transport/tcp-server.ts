/** Listens on TCP and hands each connection over as a byte stream. */
import { createServer, type Socket } from "node:net";

export interface TcpServerOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly onConnection: (socket: Socket) => void;
}

export interface TcpServer {
  readonly port: number;
  /** Stops accepting; connections that are open stay open. */
  stopListening(): void;
}

/**
 * Listens. Rejects with the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL, …) when it cannot.
 * A host that names both loopback addresses ("localhost") listens on the first that resolves; since
 * clients may try the other one first, "localhost" listens on 127.0.0.1 and, where there is one, ::1.
 */
export async function listenTcp(options: TcpServerOptions): Promise<TcpServer> {
  const accept = (socket: Socket) => {
    socket.setNoDelay(true);
    options.onConnection(socket);
  };
  const listen = (host: string, port: number) =>
    new Promise<import("node:net").Server>((resolve, reject) => {
      const server = createServer({ noDelay: true }, accept);
      server.once("error", reject);
      server.listen({ host, port }, () => {
        server.off("error", reject);
        resolve(server);
      });
    });
  if (options.host !== "localhost") {
    const server = await listen(options.host, options.port);
    return { port: portOf(server), stopListening: () => server.close() };
  }
  const four = await listen("127.0.0.1", options.port);
  const port = portOf(four);
  // Without IPv6, or with somebody else on ::1, IPv4 alone is what there is.
  const six = await listen("::1", port).catch(() => undefined);
  return {
    port,
    stopListening: () => {
      four.close();
      six?.close();
    },
  };
}

function portOf(server: import("node:net").Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}
