/** The clients of this node: their connections, and what all of them are told. */
import type { Gate } from "../auth/gate.ts";
import type { Governor } from "../limits/governor.ts";
import type { CheckedMethods } from "../methods/method.ts";
import { isAudited, roleFor } from "../methods/roles.ts";
import { failUnreadAnswer } from "../methods/unread-answers.ts";
import type { Connection } from "../rpc/connection.ts";
import { Connections } from "../rpc/connections.ts";
import { refusalOfMethod } from "../rpc/published-methods.ts";
import type { ClientInferences } from "../session/members/client-inferences.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";
import { connectionsThatFit } from "../transport/open-files.ts";
import type { QuickAck } from "../transport/quick-ack.ts";
import type { FieldChecks } from "./field-checks.ts";
import type { ServerContext } from "./server-context.ts";

export interface ConnectionParts {
  readonly methods: CheckedMethods;
  readonly checks: FieldChecks;
  readonly gate: Gate;
  readonly governor: Governor;
  readonly registry: SessionRegistry;
  readonly inferences: ClientInferences;
  readonly quickAck: QuickAck;
}

export function createConnections(context: ServerContext, parts: ConnectionParts): Connections {
  const { config, instruments, logger, pace, seldomLines, version } = context;
  const { methods, checks, gate, governor, registry, inferences, quickAck } = parts;
  const connections = new Connections({
    methods,
    validators: checks.validators,
    gate,
    confirms: (principal) => gate.confirms(principal),
    roleFor,
    isAudited,
    audit: context.audit,
    auditRefusal: context.auditRefusal,
    maxConnections: maxConnectionsOf(context),
    maxConnectionsOf: (tenant) => governor.limits(tenant).connections,
    introductionMs: pace.introductionMs,
    sweepMs: pace.sweepMs,
    version,
    maxMessageBytes: ({ tenant }) =>
      Math.min(governor.limits(tenant).messageBytes ?? Number.POSITIVE_INFINITY, config.maxMessageBytes),
    maxWaitingBytes: config.maxWaitingBytes,
    mayHold: ({ tenant }, bytes) => governor.mayHold(tenant, bytes),
    countReceived: ({ tenant }, bytes) => governor.countReceived(tenant, bytes),
    refusalOfMethod,
    onRequestFailed: (reason) => instruments.requestFailed(reason),
    onCall: (connection, { tenant }, method, params) =>
      checks.noteUnknown(connection, tenant, method, params),
    onUnreadCall: ({ tenant }, head, reason) => failUnreadAnswer(registry, tenant, head, reason),
    onIncompleteFrame: quickAck.acknowledge,
    log: { ...logger, seldom: (message, fields, reason) => seldomLines.write(message, fields, reason) },
    onClose: (connection) => {
      inferences.drop(connection);
      registry.detachEverywhere(connection);
    },
  });
  governor.countMemoryOf(connections);
  tellLifecycle(context, registry, connections);
  return connections;
}

function maxConnectionsOf({ config, logger }: ServerContext): number {
  const maxConnections = Math.min(config.maxConnections, connectionsThatFit());
  if (maxConnections < config.maxConnections && !config.stdio)
    logger.debug("fewer connections are taken than are configured: the system allows too few open files", {
      maxConnections,
      configured: config.maxConnections,
    });
  return maxConnections;
}

/** Clients hear of all sessions that are made or deleted for their tenant, and of changes of those that they are in. */
function tellLifecycle(
  { announcements }: ServerContext,
  registry: SessionRegistry,
  connections: Connections,
): void {
  const tell = (to: Iterable<Connection>, type: string, sessionId: string) => {
    for (const connection of to) connection.notify("session.lifecycle", { type, sessionId });
  };
  announcements.subscribe({
    "session-made": ({ key }) => tell(connections.of(key.tenant), "session.created", key.sessionId),
    "session-deleted": ({ key }) => tell(connections.of(key.tenant), "session.deleted", key.sessionId),
    "session-changed": ({ key }) =>
      tell(registry.clientsOf(key) as Iterable<Connection>, "session.updated", key.sessionId),
  });
}
