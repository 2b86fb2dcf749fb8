/** Listens on TCP, with TLS where there is a certificate, and hands each connection over as a byte stream. */
import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { Newcomers } from "../strangers/newcomers.ts";

export interface TcpServerOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly onConnection: (socket: Socket) => void;
  readonly tls?: TlsFiles;
  /** How many may be agreeing on TLS at a time; one more ends the oldest of the address that has most. */
  readonly maxHandshakes: number;
  /** A client that could not be talked to in TLS. */
  readonly onTlsError?: (error: Error, remoteAddress: string | undefined) => void;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Authorities; with it clients have to bring a certificate that one of them signed. */
  readonly ca?: string;
}

/** How long a client may take to agree on TLS. */
const HANDSHAKE_MS = 10_000;
/** Silence after which the system asks whether the other side is there. */
const KEEP_ALIVE_MS = 60_000;

export interface TcpServer {
  readonly port: number;
  /** Stops accepting; connections that are open stay open. */
  stopListening(): void;
  /** Reads the certificates again; connections that are open keep theirs. @throws the system's, or OpenSSL's, error. */
  reloadTls(): void;
}

/**
 * Listens. Rejects with the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL, …) when it cannot.
 * A host that names both loopback addresses ("localhost") listens on the first that resolves; since
 * clients may try the other one first, "localhost" listens on 127.0.0.1 and, where there is one, ::1.
 */
export async function listenTcp(options: TcpServerOptions): Promise<TcpServer> {
  const servers: Server[] = [];
  const listen = async (host: string, port: number): Promise<number> => {
    const server = await createListener(options);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    servers.push(server);
    return portOf(server);
  };
  const both = options.host === "localhost";
  const port = await listen(both ? "127.0.0.1" : options.host, options.port);
  // Without IPv6, or with somebody else on ::1, IPv4 alone is what there is.
  if (both) await listen("::1", port).catch(() => undefined);
  return {
    port,
    stopListening: () => {
      for (const server of servers) server.close();
    },
    reloadTls: () => {
      if (!options.tls) return;
      const context = readTls(options.tls);
      for (const server of servers) (server as import("node:tls").Server).setSecureContext(context);
    },
  };
}

async function createListener(options: TcpServerOptions): Promise<Server> {
  const accept = (socket: Socket) => {
    socket.setNoDelay(true);
    // A client that went without a word is noticed by the system, some day.
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    options.onConnection(socket);
  };
  if (!options.tls) return createServer({ noDelay: true }, accept);
  const { createServer: createTlsServer } = await import("node:tls");
  const handshakes = new Newcomers<Socket>();
  /** By the client's address and port: the socket that carries TLS is not the one that is accepted in the end. */
  const carriers = new Map<string, Socket>();
  const server = createTlsServer(
    { ...readTls(options.tls), noDelay: true, handshakeTimeout: HANDSHAKE_MS, minVersion: "TLSv1.2" },
    (socket) => {
      const carrier = carriers.get(originOf(socket));
      if (carrier) handshakes.delete(carrier);
      accept(socket);
    },
  );
  server.on("connection", (socket: Socket) => {
    const origin = originOf(socket);
    if (handshakes.size >= options.maxHandshakes) handshakes.first()?.destroy();
    handshakes.add(socket, socket.remoteAddress);
    carriers.set(origin, socket);
    socket.once("close", () => {
      handshakes.delete(socket);
      if (carriers.get(origin) === socket) carriers.delete(origin);
    });
  });
  server.on("tlsClientError", (error, socket) => options.onTlsError?.(error, socket.remoteAddress));
  return server;
}

function originOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function readTls({ cert, key, ca }: TlsFiles) {
  return {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca === undefined ? {} : { ca: readFileSync(ca), requestCert: true, rejectUnauthorized: true }),
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}
