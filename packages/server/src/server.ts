/**
 * The composition root: the only file that names concrete stores, providers and tools, and puts the
 * rooms together.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { ConnectionClosedError, RpcError } from "@rightseat/protocol";
import { AccountError, createGitHubAccounts, hostOf } from "./accounts/github-accounts.ts";
import type { AttemptDelays } from "./auth/failed-attempts.ts";
import { Gate } from "./auth/gate.ts";
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
import { roleFor } from "./methods/roles.ts";
import type { Services } from "./methods/services.ts";
import { InstrumentRelay } from "./metrics/instruments.ts";
import { lookUpModel } from "./models/catalog.ts";
import { createProvider } from "./models/create-provider.ts";
import { ModelDirectory } from "./models/model-directory.ts";
import { ModelError } from "./models/model-provider.ts";
import { DEFAULT_RETRY_POLICY } from "./models/retry.ts";
import { KeptPermissions } from "./permissions/kept-permissions.ts";
import type { Audit } from "./rpc/audit.ts";
import type { Connection } from "./rpc/connection.ts";
import { Connections } from "./rpc/connections.ts";
import { LazyValidators } from "./rpc/lazy-validators.ts";
import { DEFAULT_TENANT } from "./rpc/principal.ts";
import { isPublishedMethod } from "./rpc/published-methods.ts";
import { agentToolDefinitions } from "./session/agents/agent-tool-definitions.ts";
import { type AgentToolUser, createAgentTools } from "./session/agents/agent-tools.ts";
import { builtInAgentsOf } from "./session/agents/agents.ts";
import type { AgentCaller, SubAgentServices } from "./session/agents/sub-agent.ts";
import { ClientInferences } from "./session/clients/client-inferences.ts";
import type { CommandServices } from "./session/commands/command-types.ts";
import { runQueuedCommand } from "./session/commands/slash-commands.ts";
import { instructionsOf } from "./session/context/instructions.ts";
import { compactNow } from "./session/context/manual-compaction.ts";
import { withNearbyInstructions } from "./session/context/nearby-instructions.ts";
import { agentMessageOf, systemMessageOf } from "./session/context/system-message.ts";
import { refreshedGitHubToken, renewGitHubToken } from "./session/github/github-token.ts";
import { type HookServices, tellSessionEnd } from "./session/hooks/session-hooks.ts";
import type { PermissionServices } from "./session/permissions/permissions.ts";
import { startNextRun } from "./session/prompts/prompts.ts";
import { startRun } from "./session/run.ts";
import type { Session } from "./session/session.ts";
import { type LifecycleType, SessionRegistry } from "./session/session-registry.ts";
import { modelQueryOf } from "./session/settings/model-query.ts";
import type { SessionSettings } from "./session/settings/session-settings.ts";
import {
  isLargeOutput,
  SessionToolHost,
  type ToolHostServices,
  toolDirectories,
} from "./session/tools/tool-host.ts";
import { toolSetOf, withoutInteraction } from "./session/tools/tool-set.ts";
import { lookAround, type SurroundingServices } from "./session/workspace/surroundings.ts";
import { workingDirectoryOf } from "./session/workspace/working-directory.ts";
import type { EventLog, SessionKey } from "./store/event-log.ts";
import { createFileEventLog } from "./store/files/file-event-log.ts";
import { eventsFileName } from "./store/files/layout.ts";
import {
  BUILT_IN_TOOL_DEFINITIONS,
  BUILT_IN_TOOL_NAMES,
  type BuiltInTools,
  createBuiltInTools,
} from "./tools/built-in.ts";
import type { SessionTodos } from "./tools/session-todos.ts";
import { shellEnvironment } from "./tools/shell/environment.ts";
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
  /** Ends in order: no new connections, running turns get their grace, the log is flushed. */
  shutdown(): Promise<void>;
  /** Settles when a client asked the server to end, and its sessions are closed. */
  readonly shutdownRequested: Promise<void>;
}

const INTEGRATION_ID = "rightseat";
/** How long making a session waits for GitHub to say whose token it was given. */
const TOKEN_CHECK_MS = 3000;
/** After the start, when whoever started it has had a first answer. */
const LOAD_VALIDATORS_MS = 300;
/** Longer than this without a checkpoint makes resuming slow. */
const CHECKPOINT_EVERY_BYTES = 1024 * 1024;

/** How long the server takes its time, in milliseconds; what is left out has its default. */
export interface ServerPace {
  /** Before a wrong connection token is answered. */
  readonly attemptDelays?: AttemptDelays;
  /** Until a client that has not said who it is is hung up on. */
  readonly introductionMs?: number;
  /** Between two looks for connections whose right has ended. */
  readonly sweepMs?: number;
  /** For how long, at the least, what a tenant has stored is not measured again. */
  readonly storedBytesKeptMs?: number;
}

export interface ServerParts {
  /** Where sessions are kept; default files under the configured home. */
  readonly log?: EventLog;
  /** Told who did what; default nobody. */
  readonly audit?: Audit;
  readonly pace?: ServerPace;
}

export function createServer(
  config: Config,
  logger: Logger,
  version: string,
  parts: ServerParts = {},
): RightseatServer {
  const pace = parts.pace ?? {};
  const gate = new Gate({
    sharedSecret: config.connectionToken,
    access: config.access,
    onWarning: (message, fields) => logger.warning(message, fields),
    attemptDelays: pace.attemptDelays,
  });
  const accounts = createGitHubAccounts({ apiUrl: config.gitHubApiUrl });
  const inferences = new ClientInferences();
  const models = createModelDirectory(config, accounts);
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
  const governor = new Governor({
    config: config.limits,
    storedBytes: (tenant) => storedBytes.of(tenant),
    onWaited: (ms) => instruments.waited(ms),
  });
  const hooks: HookServices = {
    deadlineMs: config.hookDeadline * 1000,
    transcriptPath: (session) => {
      const directory = log.workspacePath(session.key);
      return directory === undefined ? undefined : join(directory, eventsFileName);
    },
    workingDirectory: (session) => workingDirectoryOf({ defaultWorkingDirectory: process.cwd() }, session),
    onWarning: (message, fields) => logger.warning(message, fields),
    discover: createDiscoveryCache(discoverHooks),
    environment: () => shellEnvironment(config.environment),
    takeProcess: (tenant) => governor.takeProcess(tenant),
  };
  const registry = new SessionRegistry({
    log,
    onStored: (commit) => instruments.stored(commit),
    questionDeadlineMs: config.questionDeadline * 1000,
    hibernateAfterMs: config.hibernateAfter * 1000,
    onEnd: (session, reason, sources) => tellSessionEnd(hooks, session, reason, sources),
    idleTimeoutMs: (tenant) => {
      const seconds = governor.limits(tenant).idleTimeoutSeconds ?? config.sessionIdleTimeout;
      return seconds > 0 ? seconds * 1000 : undefined;
    },
    admit: (tenant, open) => governor.admitSession(tenant, open),
    onLifecycle: (type, key) => {
      if (type === "session.deleted") storedBytes.forget(key.tenant);
      tellTenant(type, key);
    },
    onQueueReleased: (session) => {
      Promise.resolve(session.wake())
        .then(() => startNextRun(session, (next, prompt) => startRun(runs, next, prompt)))
        .catch((error) => runs.onBug(error, session));
    },
    onWarning: (message, fields) => logger.warning(message, fields),
    onDebug: (message, fields) => logger.debug(message, fields),
  });
  const onUpdated: Services["onUpdated"] = (session) => {
    session.updateSummary();
    for (const link of session.attachments.keys())
      (link as Connection).notify("session.lifecycle", { type: "session.updated", sessionId: session.id });
  };
  const commands: CommandServices = {
    checkSettings: (settings) => checkSettings(settings, models, accounts),
    onUpdated,
    workingDirectoryOf: (session) => workingDirectoryOf(runs, session),
    compact: async (session, customInstructions) =>
      (await compactNow(runs, session, { customInstructions, trigger: "manual" })).tokensRemoved,
  };
  const builtInTools = createBuiltInToolStore({
    log,
    environment: config.environment,
    privateHosts: (config.fetchPrivateHosts ?? "").split(/[\s,]+/).filter((host) => host !== ""),
    defaultWorkingDirectory: process.cwd(),
    processes: governor,
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
    defaultWorkingDirectory: process.cwd(),
  };
  const modelQuery = async (session: Session, settings?: SessionSettings, caller?: AgentCaller) => {
    const refreshed = refreshedGitHubToken(session, hostOf(config.gitHubApiUrl));
    if (refreshed) await refreshed;
    const wanted =
      refreshed && settings ? { ...settings, gitHubToken: session.settings.gitHubToken } : settings;
    return modelQueryOf(session, inferences, !config.disableWebSocketResponses, wanted, caller);
  };
  const toolsOf = (scope: Session, user: AgentToolUser) =>
    toolSetOf(scope, () => [
      ...withNearbyInstructions(
        { session: user.session, scope },
        surroundings,
        builtInTools(user.session).tools,
      ),
      ...createAgentTools(() => runs, user),
    ]);
  const runs: SubAgentServices = {
    product: `rightseat/${version}`,
    retry: DEFAULT_RETRY_POLICY,
    workspacePath: (session) => log.workspacePath(session.key),
    instruments,
    places: governor,
    renewGitHubToken: (session) => renewGitHubToken(session, hostOf(config.gitHubApiUrl)),
    permissions: createPermissionServices(config.home, log),
    defaultWorkingDirectory: process.cwd(),
    lookAround: (session) => lookAround(session, surroundings),
    hooks,
    systemMessage: (session) => systemMessageOf(session, surroundings),
    resolveModel: async (session, settings) => models.resolve(await modelQuery(session, settings)),
    toolSet: (session) => toolsOf(session, { session, depth: 0 }),
    fitOutput: (session, text) =>
      isLargeOutput(session, text) ? builtInTools(session).keepOutput(text) : text,
    resolveAgentModel: async (session, settings, caller) => {
      const query = await modelQuery(session, settings, caller);
      const { model } = session.settings;
      // An agent's definition may name a model that this session has no way to: it gets the session's.
      const isOffered =
        query.model === undefined ||
        query.model === model ||
        (await models.offers({ ...query, model: query.model }));
      return models.resolve(isOffered ? query : { ...query, model });
    },
    checkAgentModel: async (session, model) => {
      const query = await modelQuery(session, { ...session.settings, model });
      if (await models.offers({ ...query, model })) return;
      const message = `expected a model that the session can use, got '${model}'`;
      throw new RpcError("model_not_found", message, { model });
    },
    agentSystemMessage: (session, agent) => agentMessageOf(session, surroundings, agent),
    agentToolSet: ({ session, scope, caller, depth }) =>
      withoutInteraction(toolsOf(scope, { session, depth, agentId: caller.agentId })),
    runCommand: (session, command, signal) => runQueuedCommand(commands, session, command, signal),
    onBug: (error, session) => logger.error("a run failed unexpectedly", { sessionId: session.id, error }),
    onIdle: (session) => {
      onUpdated(session);
      if (session.sinceCheckpoint > CHECKPOINT_EVERY_BYTES) {
        session
          .checkpoint()
          .catch((error) =>
            logger.warning("a checkpoint could not be written", { sessionId: session.id, error }),
          );
      }
    },
  };
  const retention = new Retention({
    log,
    retentionDays: (tenant) => governor.limits(tenant).retentionDays,
    isOpen: (key) => registry.find(key) !== undefined,
    delete: (key) => registry.delete(key),
    onDeleted: (tenant, sessions) => logger.info("old sessions were deleted", { tenant, sessions }),
    onError: (error, tenant) => logger.warning("old sessions could not be deleted", { tenant, error }),
  });
  let requested: () => void = () => undefined;
  const shutdownRequested = new Promise<void>((resolve) => {
    requested = resolve;
  });
  const services: Services = {
    version,
    registry,
    runs,
    models,
    accounts,
    inferences,
    toolDefinitions: [...BUILT_IN_TOOL_DEFINITIONS, ...agentToolDefinitions(builtInAgentsOf({}, []))],
    sources: surroundings,
    instructionsOf: (session) => instructionsOf(session, surroundings),
    commands,
    userShell: {
      startCommand: (session, options) => builtInTools(session).startCommand(options),
      defaultWorkingDirectory: process.cwd(),
      onBug: runs.onBug,
    },
    environment: config.environment,
    todosOf: (session, signal) => todosOf(log, session, signal),
    gitHubToken: config.gitHubToken,
    allowProviderEndpoint: config.allowProviderEndpoint,
    integrationId: config.integrationId ?? INTEGRATION_ID,
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
      defaultWorkingDirectory: process.cwd(),
      checkSettings: commands.checkSettings,
      builtInTools: BUILT_IN_TOOL_NAMES,
      defaultModel: (settings) => models.defaultModel(settings),
      gitHubHost: hostOf(config.gitHubApiUrl),
      onLifecycle: tellTenant,
    },
  };
  const maxConnections = Math.min(config.maxConnections, connectionsThatFit());
  if (maxConnections < config.maxConnections)
    logger.debug("fewer connections are taken than are configured: the system allows too few open files", {
      maxConnections,
      configured: config.maxConnections,
    });
  const validators = new LazyValidators(
    async () => (await import("@rightseat/protocol/validators")).paramsValidators,
  );
  const connections: Connections = new Connections({
    methods: createMethods(services),
    validators,
    gate,
    confirms: (principal) => gate.confirms(principal),
    roleFor,
    audit: parts.audit,
    maxConnections,
    introductionMs: pace.introductionMs,
    sweepMs: pace.sweepMs,
    version,
    maxMessageBytes: ({ tenant }) =>
      Math.min(governor.limits(tenant).messageBytes ?? Number.POSITIVE_INFINITY, config.maxMessageBytes),
    maxWaitingBytes: config.maxWaitingBytes,
    isKnownMethod: isPublishedMethod,
    onRequestFailed: (reason) => instruments.requestFailed(reason),
    onIncompleteFrame: createQuickAck((error) =>
      logger.info("acknowledgements are delayed by the system: koffi could not be loaded", { error }),
    ),
    log: logger,
    onClose: (connection) => {
      inferences.drop(connection, new ConnectionClosedError("the client that carried this request has gone"));
      registry.detachEverywhere(connection);
    },
  });
  let tcp: TcpServer | undefined;
  let operations: HttpPort | undefined;
  let stopping: Promise<void> | undefined;
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
      relay: instruments,
      snapshot: () => ({
        ...registry.counts(),
        connections: connections.size,
        failedAttempts: gate.failedAttempts,
        processes: governor.processes,
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
        onTlsError: (error, remoteAddress) =>
          logger.warning("a client could not be talked to in TLS", { remoteAddress, why: error.message }),
      });
      if (config.httpPort !== undefined) operations = await openOperations(config.httpPort);
      // Soon, so that no client waits for them; not at once, so that the first answer does not.
      setTimeout(() => void validators.load().catch(() => undefined), LOAD_VALIDATORS_MS).unref();
      return tcp.port;
    },
    get httpPort() {
      return operations?.port;
    },
    reload: (changed) => {
      tcp?.reloadTls();
      gate.reload(changed.access);
      governor.reload(changed.limits);
      connections.sweep();
    },
    shutdown: async () => {
      await stop();
      await Promise.race([
        Promise.all([...connections].map((connection) => connection.flushed())),
        new Promise((resolve) => setTimeout(resolve, 1000).unref()),
      ]);
      for (const connection of connections) connection.close("the server is shutting down");
      operations?.close();
      logger.flush();
    },
  };
}

function createPermissionServices(home: string, log: EventLog): PermissionServices {
  const kept = new Map<string, KeptPermissions>();
  return {
    defaultWorkingDirectory: process.cwd(),
    tempDirectory: tmpdir(),
    kept: (tenant) => {
      const known = kept.get(tenant);
      if (known) return known;
      // The default tenant's is where the Copilot CLI has it.
      const folder = tenant === DEFAULT_TENANT ? home : join(home, "tenants", tenant);
      const own = new KeptPermissions(join(folder, "permissions-config.json"));
      kept.set(tenant, own);
      return own;
    },
    ownDirectories: ({ key }) => toolDirectories(log.workspacePath(key)),
  };
}

/** The server's own tools of each session, made when its first model call offers them. */
function createBuiltInToolStore(services: ToolHostServices): (session: Session) => BuiltInTools {
  const made = new WeakMap<Session, BuiltInTools>();
  return (session) => {
    const known = made.get(session);
    if (known) return known;
    const own = createBuiltInTools(new SessionToolHost(services, session));
    session.disposers.add(() => own.dispose());
    made.set(session, own);
    return own;
  };
}

const NO_TODOS: SessionTodos = { rows: [], dependencies: [] };

async function todosOf(log: EventLog, session: Session, signal: AbortSignal): Promise<SessionTodos> {
  const directory = log.workspacePath(session.key);
  if (directory === undefined) return NO_TODOS;
  const { readTodos } = await import("./tools/sql/session-database.ts");
  return readTodos(directory, signal);
}

function createModelDirectory(
  config: Config,
  accounts: ReturnType<typeof createGitHubAccounts>,
): ModelDirectory {
  return new ModelDirectory({
    serverProviders: config.serverProviders,
    serverModel: config.model,
    demo: config.demo,
    gitHubToken: config.gitHubToken,
    createProvider,
    createDemoProvider: () => createProvider({ type: "demo" }),
    createCopilotProvider: ({ token, baseUrl, fetch }) =>
      createProvider({
        type: "copilot",
        baseUrl,
        fetch,
        credential: async () => ({ kind: "bearer", value: token }),
        integrationId: config.integrationId ?? INTEGRATION_ID,
      }),
    copilotApiUrl: async (token) =>
      config.apiUrl ??
      (await accounts.resolve(token).catch(toModelError)).copilotApiUrl ??
      "https://api.githubcopilot.com",
    facts: lookUpModel,
  });
}

/** To a run, an account that cannot be had is a model that cannot be called. */
function toModelError(error: unknown): never {
  if (!(error instanceof AccountError)) throw error;
  const kind = error.kind === "rejected" ? "authentication" : "network";
  throw new ModelError(kind, error.message, { status: error.status, cause: error });
}

/** A token of the session's own is tried before the session is made: better now than at its first prompt. */
async function checkSettings(
  settings: SessionSettings,
  models: ModelDirectory,
  accounts: ReturnType<typeof createGitHubAccounts>,
): Promise<void> {
  models.check(settings);
  if (settings.gitHubToken === undefined) return;
  try {
    await accounts.resolve(settings.gitHubToken, AbortSignal.timeout(TOKEN_CHECK_MS));
  } catch (error) {
    // A GitHub that does not answer holds nobody up: nor does it, in the end, refuse anybody.
    if ((error as Error).name === "TimeoutError") return;
    if (!(error instanceof AccountError)) throw error;
    if (error.kind === "rejected")
      throw new RpcError("authentication_failed", `gitHubToken: ${error.message}`, { path: "gitHubToken" });
    // Nobody could tell; the session is made, and its first prompt will show.
  }
}
