/** The places that a client may connect to: servers that run already, or one that it starts. */
import { randomUUID } from "node:crypto";
import type { ResolvedConnection } from "../config/client-settings.ts";
import type { CopilotClientOptions } from "../types/client-options.ts";
import { parseAddresses, toText } from "./address.ts";
import { dial } from "./dial.ts";
import type { Endpoint } from "./link.ts";
import type { ConnectionToken } from "./settings.ts";

/** Where to connect, with what secret, and how to end what was started for it. */
export interface Endpoints {
  readonly list: readonly Endpoint[];
  readonly token: ConnectionToken | undefined;
  /** Ends a runtime that was started here; resolves with what went wrong. Nothing to do for servers. */
  readonly stop: (how: "gently" | "now", shutdown: () => Promise<unknown>) => Promise<Error[]>;
}

export function endpointsOf(connection: ResolvedConnection, options: CopilotClientOptions): Endpoints {
  if (connection.kind !== "uri") return ownRuntime(connection, options);
  const tls = connection.tls ?? options.tls;
  const list = parseAddresses(connection.url).map((address) => ({
    name: toText(address),
    open: async (timeoutMs: number, signal: AbortSignal) => {
      const socket = await dial(address, { timeoutMs, signal, tls });
      return { input: socket, output: socket };
    },
  }));
  return { list, token: connection.connectionToken, stop: () => Promise.resolve([]) };
}

/** What it takes to start a process is loaded when one is started. */
function ownRuntime(
  connection: Exclude<ResolvedConnection, { kind: "uri" }>,
  options: CopilotClientOptions,
): Endpoints {
  const token = connection.kind === "tcp" ? (connection.connectionToken ?? randomUUID()) : undefined;
  type Runtime = import("../runtime-process.ts").RuntimeProcess;
  let runtime: Runtime | undefined;
  /** Also while it is being started: it is ended then, too. */
  let starting: Promise<Runtime> | undefined;
  const start = async () => {
    const { RuntimeProcess } = await import("../runtime-process.ts");
    return RuntimeProcess.start(connection, options, token);
  };
  const open = async (timeoutMs: number, signal: AbortSignal) => {
    starting ??= start();
    try {
      runtime = await starting;
    } catch (error) {
      starting = undefined;
      throw error;
    }
    return runtime.open(timeoutMs, signal);
  };
  return {
    list: [
      {
        get name() {
          return runtime?.address ?? "the runtime";
        },
        open,
        explain: async (error) => (await runtime?.explain(error)) ?? error,
      },
    ],
    token,
    stop: async (how, shutdown) => {
      const ending = await starting?.catch(() => undefined);
      starting = undefined;
      runtime = undefined;
      return (await ending?.stop(how, shutdown)) ?? [];
    },
  };
}
