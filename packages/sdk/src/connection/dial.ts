/** Opens the byte stream to one address, plain or encrypted. */
import { connect as connectTcp, type Socket } from "node:net";
import type { ConnectionOptions as TlsConnectionOptions } from "node:tls";
import { callSafely } from "../callbacks.ts";
import { toError } from "../errors.ts";
import { after } from "../timer.ts";
import { type Address, toText } from "./address.ts";

/**
 * How encrypted connections are made: Node's own options. `ca` to trust a private authority, `cert` and
 * `key` where the server wants to know its clients (mutual TLS), `servername` when the certificate
 * bears another name than the address.
 */
export type TlsOptions = Pick<
  TlsConnectionOptions,
  | "ca"
  | "cert"
  | "key"
  | "passphrase"
  | "pfx"
  | "servername"
  | "rejectUnauthorized"
  | "minVersion"
  | "checkServerIdentity"
  | "ALPNProtocols"
>;

export interface DialOptions {
  readonly tls?: TlsOptions;
  /** Milliseconds until the stream must be usable, the TLS handshake included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Rejects with the system's error (ECONNREFUSED, …), a TLS error, or the signal's reason. */
export async function dial(address: Address, options: DialOptions): Promise<Socket> {
  options.signal.throwIfAborted();
  // A program that speaks plainly does not load OpenSSL's bindings.
  const tls = address.secure ? await import("node:tls") : undefined;
  const target = { host: address.host, port: address.port };
  const socket = tls
    ? tls.connect({ ...target, ...serverName(address), ...options.tls, ...checkOf(options.tls) })
    : connectTcp({ ...target, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 });
  return opened(socket, tls ? "secureConnect" : "connect", address, options);
}

/** The application's check of a server's name; one that throws, or does not say at once, has not found it right. */
function checkOf({ checkServerIdentity: check }: TlsOptions = {}): TlsOptions {
  if (!check) return {};
  return {
    checkServerIdentity: (name, certificate) => {
      let found: unknown;
      let problem: Error | undefined;
      callSafely(
        () => {
          found = check(name, certificate);
          return found;
        },
        (error) => {
          problem = error;
        },
      );
      if (problem || found === undefined || found instanceof Error) return problem ?? (found as undefined);
      return new Error(`checkServerIdentity: expected undefined or an Error, got ${typeof found}`);
    },
  };
}

/** Node asks for a server name by hand where the host is a name; addresses must not be sent as one. */
function serverName({ host }: Address): { servername?: string } {
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}

function opened(socket: Socket, event: string, address: Address, options: DialOptions): Promise<Socket> {
  const { signal, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      stop();
      signal.removeEventListener("abort", onAbort);
      socket.off(event, onOpen).off("error", settle);
      if (!error) {
        resolve(socket);
        return;
      }
      // What it still has to say is of no interest, and must not end the process.
      socket.on("error", () => undefined);
      socket.destroy();
      reject(error);
    };
    const onOpen = () => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 10_000);
      settle();
    };
    const onAbort = () => settle(toError(signal.reason));
    const stop = after(timeoutMs, () =>
      settle(new Error(`no connection to ${toText(address)} within ${timeoutMs} ms`)),
    );
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once(event, onOpen).once("error", settle);
  });
}
