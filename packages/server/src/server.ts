/**
 * The composition root: with `compose/` the only place that names concrete stores, providers and tools, and puts
 * the rooms together.
 */
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { ConnectionClosedError } from "@rightseat/protocol";
import { isShared } from "./auth/access-config.ts";
import type { AttemptDelays } from "./auth/failed-attempts.ts";
import { Gate } from "./auth/gate.ts";
import { createModels } from "./compose/models.ts";
import { createPlaces } from "./compose/places.ts";
import { createRuns } from "./compose/runs.ts";
import { createBuiltInToolStore, todosOf } from "./compose/session-tools.ts";
import type { Config } from "./config/load-config.ts";
import type { Logger } from "./config/logger.ts";
import { discoverAgents } from "./discovery/agents.ts";
import { createDiscoveryCache } from "./discovery/discovery-cache.ts";
import { discoverHooks } from "./discovery/hook-files.ts";
import { discoverInstructions } from "./discovery/instructions.ts";
import type { HttpPort } from "./http/http-server.ts";
import { Governor } from "./limits/governor.ts";
import { Retention } from "./limits/retention.ts";
import { StoredBytes } from "./limits/stored-bytes.ts";
import { createMethods } from "./methods/index.ts";
import { isAudited, roleFor } from "./methods/roles.ts";
import type { Services } from "./methods/services.ts";
import { failUnreadAnswer } from "./methods/unread-answers.ts";
import { InstrumentRelay } from "./metrics/instruments.ts";
import type { LostLines } from "./metrics/prometheus.ts";
import { toHosts } from "./network/address-guard.ts";
import { createProxies } from "./network/proxies.ts";
import type { Audit } from "./rpc/audit.ts";
import type { Connection } from "./rpc/connection.ts";
import { Connections } from "./rpc/connections.ts";
import { LazyValidators } from "./rpc/lazy-validators.ts";
import { DEFAULT_TENANT } from "./rpc/principal.ts";
import { refusalOfMethod } from "./rpc/published-methods.ts";
import { builtInAgentsOf } from "./session/abilities/agents/agents.ts";
import type { CommandServices } from "./session/abilities/commands/command-types.ts";
import { closeInterruptedCompaction } from "./session/abilities/context/compaction.ts";
import { instructionsOf } from "./session/abilities/context/instructions.ts";
import { compactNow } from "./session/abilities/context/manual-compaction.ts";
import type { SurroundingServices } from "./session/abilities/context/surroundings.ts";
import { type HookServices, tellSessionEnd } from "./session/abilities/hooks/session-hooks.ts";
import { agentToolDefinitions } from "./session/abilities/sub-agents/agent-tool-definitions.ts";
import { closeCutOffToolCalls } from "./session/abilities/tools/cut-off-tool-calls.ts";
import { closeInterruptedAgents, closeInterruptedRun } from "./session/abilities/tools/interrupted.ts";
import { workingDirectoryOf } from "./session/abilities/workspace/working-directory.ts";
import { checkFields, honoured, within } from "./session/members/field-rules.ts";
import type { PublishedFields } from "./session/members/published-fields.ts";
import { warnOfFields } from "./session/open/warn-of-fields.ts";
import { followSignal } from "./session/runs/run.ts";
import { type LifecycleType, SessionRegistry } from "./sessions/session-registry.ts";
import type { EventLog, SessionKey } from "./store/event-log.ts";
import { createFileEventLog } from "./store/files/file-event-log.ts";
import { eventsFileName } from "./store/files/layout.ts";
import { SeldomLines } from "./strangers/seldom-lines.ts";
import { BUILT_IN_TOOL_DEFINITIONS, BUILT_IN_TOOL_NAMES } from "./tools/built-in.ts";
import { setChildNiceness } from "./tools/child-priority.ts";
import { connectionsThatFit } from "./transport/open-files.ts";
import { createQuickAck } from "./transport/quick-ack.ts";
import { listenTcp, type TcpServer } from "./transport/tcp-server.ts";

export interface RightseatServer {
  /** Starts listening on TCP; resolves with the port. Rejects with the system's error. */
  listen(): Promise<number>;
  /** The port for operators, once it listens. */
  readonly httpPort: number | undefined;
  /** Serves one client on a stream. */
  accept(stream: Duplex): void;
  /**
   * Takes over what may change while the server runs: who may connect, the limits, and the certificates. Connections
   * of those who may no longer are ended; all others stay.
   * @throws the system's, or OpenSSL's, error when a certificate cannot be used; the old one stays.
   */
  reload(config: Config): void;
  /**
   * Ends in order: no new connections, running turns get their grace, the log is flushed.
   * @returns false when the store stopped answering meanwhile.
   */
  shutdown(): Promise<boolean>;
  /** Settles when a client asked the server to end, and its sessions are closed. */
  readonly shutdownRequested: Promise<void>;
}

/** After the start, when whoever started it has had a first answer. */
const LOAD_MS = 300;

/** Besides the connections that are served, so many may be agreeing on TLS. */
const PART_FOR_HANDSHAKES = 0.1;
const LEAST_HANDSHAKES = 16;

/** How long the server takes its time, in milliseconds; what is left out has its default. */
export interface ServerPace {
  /** Before an attempt is judged that comes after a wrong connection token. */
  readonly attemptDelays?: AttemptDelays;
  /** Until a client that has not said who it is is hung up on. */
  readonly introductionMs?: number;
  /** Between two looks for connections whose right has ended. */
  readonly sweepMs?: number;
  /** For how long, at the least, what a tenant has stored is not measured again. */
  readonly storedBytesKeptMs?: number;
  /** Until sessions that are too old are looked for, and between two such looks. */
  readonly retentionMs?: number;
}

export interface ServerParts {
  /** Where sessions are kept; default files under the configured home. */
  readonly log?: EventLog;
  /** Told who did what; default nobody. */
  readonly audit?: Audit;
  /** Why calls that have to be audited are refused now; undefined while they are not. */
  readonly auditRefusal?: () => string | undefined;
  /** Lines of the logs that are missing since the start. */
  readonly lostLines?: () => LostLines;
  readonly pace?: ServerPace;
}

export function createServer(
  config: Config,
  logger: Logger,
  version: string,
  parts: ServerParts = {},
): RightseatServer {
  const pace = parts.pace ?? {};
  setChildNiceness(config.childNiceness);
  const defaultWorkingDirectory = process.cwd();
  let { access } = config;
  const seldomLines = new SeldomLines((message, fields) => logger.warning(message, fields));
  const shared = () => isShared(access, config.connectionToken);
  const places = createPlaces(config, defaultWorkingDirectory, shared);
  const proxies = config.proxies && createProxies(config.proxies);
  const models = createModels(config, shared, proxies);
  const gate = new Gate({
    sharedSecret: config.connectionToken,
    access: config.access,
    fetch: models.serverFetch,
    onWarning: (message, fields) => seldomLines.write(message, fields),
    attemptDelays: pace.attemptDelays,
  });
  const log =
    parts.log ??
    createFileEventLog({
      home: config.home,
      durability: config.durability,
      log: (message, fields) => logger.warning(message, fields),
    });
  const tellTenant = (type: LifecycleType, key: SessionKey) => {
    for (const connection of connections) {
      if (connection.principal?.tenant === key.tenant)
        connection.notify("session.lifecycle", { type, sessionId: key.sessionId });
    }
  };
  const instruments = new InstrumentRelay();
  const storedBytes = new StoredBytes((tenant) => log.storedBytes(tenant), pace.storedBytesKeptMs);
  const governor: Governor = new Governor({
    config: config.limits,
    mayStore: (tenant, bytes, maxBytes) => storedBytes.admits(tenant, bytes, maxBytes),
    heldBytes: (tenant) => registry.heldBytes(tenant) + connections.heldBytes(tenant),
    onWaited: (ms) => instruments.waited(ms),
  });
  const hooks: HookServices = {
    deadlineMs: config.hookDeadline * 1000,
    transcriptPath: (session) => {
      const directory = log.workspacePath(session.key);
      return directory === undefined ? undefined : join(directory, eventsFileName);
    },
    workingDirectory: (session) => workingDirectoryOf({ defaultWorkingDirectory }, session),
    onWarning: (message, fields) => logger.warning(message, fields),
    discover: createDiscoveryCache(discoverHooks),
    environment: () => config.environment,
    takeProcess: (tenant) => governor.takeProcess(tenant),
  };
  const registry: SessionRegistry = new SessionRegistry({
    log,
    onStored: (commit) => instruments.stored(commit),
    questionDeadlineMs: config.questionDeadline * 1000,
    hibernateAfterMs: config.hibernateAfter * 1000,
    onEnd: (session, reason, sources) => tellSessionEnd(hooks, session, reason, sources),
    idleTimeoutMs: (tenant) => {
      const seconds = governor.limits(tenant).idleTimeoutSeconds ?? config.sessionIdleTimeout;
      return seconds > 0 ? seconds * 1000 : undefined;
    },
    confinementOf: (tenant) => places.confinementOf(tenant),
    admit: (tenant, open) => governor.admitSession(tenant, open),
    onLifecycle: (type, key) => {
      if (type === "session.deleted") storedBytes.forget(key.tenant);
      tellTenant(type, key);
    },
    onSignal: (session, signal) => followSignal(runs, session, signal),
    onMend: (session) => {
      closeCutOffToolCalls(session);
      closeInterruptedCompaction(session);
      closeInterruptedAgents(session);
      closeInterruptedRun(session);
    },
    onWarning: (message, fields) => logger.warning(message, fields),
    onFrequentWarning: (message, fields) => seldomLines.write(message, fields),
    onDebug: (message, fields) => logger.debug(message, fields),
  });
  const onUpdated: Services["onUpdated"] = (session) => {
    session.updateSummary();
    for (const link of session.attachments.keys())
      (link as Connection).notify("session.lifecycle", { type: "session.updated", sessionId: session.id });
  };
  const commands: CommandServices = {
    checkSettings: (settings) => models.check(settings),
    onUpdated,
    workingDirectoryOf: (session) => workingDirectoryOf(runs, session),
    runs: () => runs,
    compact: async (session, customInstructions) =>
      (await compactNow(runs, session, { customInstructions, trigger: "manual" })).tokensRemoved,
  };
  const builtInTools = createBuiltInToolStore({
    log,
    environment: config.environment,
    privateHosts: toHosts(config.fetchPrivateHosts),
    proxies,
    defaultWorkingDirectory,
    places,
    processes: governor,
    admitStoring: (tenant, bytes) => governor.admitStoring(tenant, bytes),
    onNotKept: (error, session) =>
      logger.warning("what a file held could not be kept before it was changed", {
        sessionId: session.id,
        error,
      }),
  });
  const surroundings: SurroundingServices = {
    load: createDiscoveryCache(discoverInstructions),
    loadAgents: createDiscoveryCache(discoverAgents),
    home: config.home,
    defaultWorkingDirectory,
  };
  const runs = createRuns({
    version,
    home: config.home,
    defaultWorkingDirectory,
    places,
    log,
    logger,
    instruments,
    governor,
    models,
    hooks,
    surroundings,
    commands,
    builtInTools,
    onUpdated,
  });
  const retention = new Retention({
    log,
    retentionDays: (tenant) => governor.limits(tenant).retentionDays,
    isOpen: (key) => registry.find(key) !== undefined,
    delete: (key) => registry.delete(key),
    onDeleted: (tenant, sessions) => logger.info("old sessions were deleted", { tenant, sessions }),
    onError: (error, tenant) => logger.warning("old sessions could not be deleted", { tenant, error }),
    lookMs: pace.retentionMs,
  });
  let requested: () => void = () => undefined;
  const shutdownRequested = new Promise<void>((resolve) => {
    requested = resolve;
  });
  const services: Services = {
    version,
    registry,
    runs,
    models: models.directory,
    accounts: models.accounts,
    inferences: models.inferences,
    toolDefinitions: [...BUILT_IN_TOOL_DEFINITIONS, ...agentToolDefinitions(builtInAgentsOf({}, []))],
    sources: surroundings,
    instructionsOf: (session) => instructionsOf(session, surroundings),
    commands,
    places,
    shellTasksOf: (session) => builtInTools(session).shellTasks(),
    userShell: {
      placeOf: runs.permissions.placeOf,
      startCommand: (session, options) => builtInTools(session).startCommand(options),
      defaultWorkingDirectory,
      onBug: runs.onBug,
    },
    environment: config.environment,
    todosOf: (session, signal) => todosOf(log, session, signal),
    gitHubToken: config.gitHubToken,
    allowProviderEndpoint: config.allowProviderEndpoint,
    integrationId: models.integrationId,
    copilotApiUrl: config.apiUrl,
    governor,
    onUpdated,
    onShutdownRequest: async () => {
      await stop();
      // Once the answer is on its way: nothing is closed before what was said is sent.
      setImmediate(requested);
    },
    join: {
      registry,
      runs,
      agents: surroundings,
      version,
      allowAll: config.allowAll,
      forgetInstructions: () => surroundings.load.forget(),
      defaultWorkingDirectory,
      places,
      checkSettings: commands.checkSettings,
      builtInTools: BUILT_IN_TOOL_NAMES,
      defaultModel: (settings) => models.directory.defaultModel(settings),
      gitHubHost: models.gitHubHost,
      onLifecycle: tellTenant,
      withoutEffect: config.withoutEffect,
      onWithoutEffect: (session, options) =>
        logger.warning("a client asked for options that have no effect here", {
          sessionId: session.id,
          clientName: session.settings.clientName,
          options,
        }),
    },
  };
  const maxConnections = Math.min(config.maxConnections, connectionsThatFit());
  if (maxConnections < config.maxConnections)
    logger.debug("fewer connections are taken than are configured: the system allows too few open files", {
      maxConnections,
      configured: config.maxConnections,
    });
  let publishedFields: PublishedFields | undefined;
  const validators = new LazyValidators(async () => {
    const [{ paramsValidators, knownFields }, { PublishedFields }] = await Promise.all([
      import("@rightseat/protocol/validators"),
      import("./session/members/published-fields.ts"),
    ]);
    publishedFields = new PublishedFields(knownFields, { checkFields, honoured, within });
    return paramsValidators;
  });
  const quickAck = createQuickAck((error) =>
    logger.warning(
      "each message of a client may wait 40 ms for the system's acknowledgement, since the optional package koffi cannot be loaded: install the server without --omit=optional",
      { why: (error as Error).message },
    ),
  );
  const connections: Connections = new Connections({
    methods: createMethods(services),
    validators,
    gate,
    confirms: (principal) => gate.confirms(principal),
    roleFor,
    isAudited,
    audit: parts.audit,
    auditRefusal: parts.auditRefusal,
    maxConnections,
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
    onCall: (connection, { tenant }, method, params) => {
      const unknown = publishedFields?.unknownIn(method, params) ?? [];
      if (unknown.length === 0) return;
      const { sessionId } = params as { sessionId?: unknown };
      const session = typeof sessionId === "string" ? registry.find({ tenant, sessionId }) : undefined;
      if (session?.attachments.has(connection)) warnOfFields(session, connection, unknown);
      else
        seldomLines.write(
          "fields of a call are not known and have no effect",
          { method, fields: unknown },
          method,
        );
    },
    onUnreadCall: ({ tenant }, head, reason) => failUnreadAnswer(registry, tenant, head, reason),
    onIncompleteFrame: quickAck.acknowledge,
    log: { ...logger, seldom: (message, fields, reason) => seldomLines.write(message, fields, reason) },
    onClose: (connection) => {
      models.inferences.drop(
        connection,
        new ConnectionClosedError("the client that carried this request has gone"),
      );
      registry.detachEverywhere(connection);
    },
  });
  let tcp: TcpServer | undefined;
  let operations: HttpPort | undefined;
  let stopping: Promise<boolean> | undefined;
  const accept = (stream: Duplex) => connections.accept(stream);
  const stop = () => {
    tcp?.stopListening();
    retention.close();
    stopping ??= registry.shutdown(config.shutdownGrace * 1000);
    return stopping;
  };
  const openOperations = async (port: number): Promise<HttpPort> => {
    const { openOperationsPort } = await import("./http/operations-port.ts");
    return openOperationsPort({
      host: config.httpHost ?? config.host,
      port,
      version,
      log,
      tenant: DEFAULT_TENANT,
      draining: () => registry.stopping,
      auditRefusal: parts.auditRefusal,
      relay: instruments,
      snapshot: () => ({
        ...registry.counts(),
        connections: connections.size,
        failedAttempts: gate.failedAttempts,
        processes: governor.processes,
        quickAcks: quickAck.count,
        lostLines: parts.lostLines?.() ?? { log: 0, audit: 0 },
      }),
      onError: (error, path) => logger.error("a page of the HTTP port failed", { path, error }),
    });
  };
  return {
    accept,
    shutdownRequested,
    listen: async () => {
      tcp = await listenTcp({
        host: config.host,
        port: config.port,
        onConnection: accept,
        tls: config.tls,
        maxHandshakes: Math.max(LEAST_HANDSHAKES, Math.floor(maxConnections * PART_FOR_HANDSHAKES)),
        onTlsError: (error, remoteAddress) =>
          seldomLines.write("a client could not be talked to in TLS", { remoteAddress, why: error.message }),
      });
      if (config.httpPort !== undefined) operations = await openOperations(config.httpPort);
      // Soon, so that no client waits for them; not at once, so that the first answer does not.
      setTimeout(() => {
        void validators.load().catch(() => undefined);
        void quickAck.load();
      }, LOAD_MS).unref();
      return tcp.port;
    },
    get httpPort() {
      return operations?.port;
    },
    reload: (changed) => {
      tcp?.reloadTls();
      access = changed.access;
      gate.reload(changed.access);
      governor.reload(changed.limits);
      connections.sweep();
    },
    shutdown: async () => {
      const inOrder = await stop();
      await Promise.race([
        Promise.all([...connections].map((connection) => connection.flushed())),
        new Promise((resolve) => setTimeout(resolve, 1000).unref()),
      ]);
      for (const connection of connections) connection.close("the server is shutting down");
      operations?.close();
      seldomLines.close();
      return inOrder;
    },
  };
}
