import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Speaker } from "./wire-checker.ts";

/** Hears the bytes of one connection. */
export type ConnectionListener = (from: Speaker, piece: Uint8Array) => void;

/** A TCP proxy on 127.0.0.1 that passes everything on and lets somebody listen. */
export interface RecordingProxy {
  readonly port: number;
  /** Where connections to come are passed on to. */
  target: number;
  close(): Promise<void>;
}

export async function startRecordingProxy(
  target: number,
  listen: (connection: number) => ConnectionListener,
): Promise<RecordingProxy> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    const upstream = connect(proxy.target, "127.0.0.1");
    const heard = listen(++connections);
    join(client, upstream, (piece) => heard("client", piece));
    join(upstream, client, (piece) => heard("server", piece));
  });
  const join = (from: Socket, to: Socket, heard: (piece: Uint8Array) => void): void => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on("data", heard);
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      to.end();
    });
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: RecordingProxy = {
    port: (server.address() as AddressInfo).port,
    target,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return proxy;
}
