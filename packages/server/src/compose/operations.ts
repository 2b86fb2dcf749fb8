/** The port for operators: readiness, metrics, version. */
import type { Gate } from "../auth/gate.ts";
import type { HttpPort } from "../http/http-server.ts";
import type { Governor } from "../limits/governor.ts";
import type { Connections } from "../rpc/connections.ts";
import { DEFAULT_TENANT } from "../rpc/principal.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";
import type { QuickAck } from "../transport/quick-ack.ts";
import type { ServerContext } from "./server-context.ts";

export interface OperationsParts {
  readonly registry: SessionRegistry;
  readonly connections: Connections;
  readonly gate: Gate;
  readonly governor: Governor;
  readonly quickAck: QuickAck;
}

/** Listens. Rejects with the system's error. */
export async function openOperations(
  { announcements, auditRefusal, config, instruments, logger, lostLines, version }: ServerContext,
  { registry, connections, gate, governor, quickAck }: OperationsParts,
  port: number,
): Promise<HttpPort> {
  const { openOperationsPort } = await import("../http/operations-port.ts");
  return openOperationsPort({
    host: config.httpHost ?? config.host,
    port,
    version,
    store: registry.store,
    tenant: DEFAULT_TENANT,
    draining: () => registry.stopping,
    auditRefusal,
    relay: instruments,
    announcements,
    snapshot: () => ({
      ...registry.counts(),
      connections: connections.size,
      failedAttempts: gate.failedAttempts,
      processes: governor.processes,
      quickAcks: quickAck.count,
      lostLines: lostLines?.() ?? { log: 0, audit: 0 },
    }),
    onError: (error, path) => logger.error("a page of the HTTP port failed", { path, error }),
  });
}
