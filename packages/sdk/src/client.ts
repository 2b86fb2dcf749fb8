/** The way to a server, and to its sessions. */
import { randomUUID } from "node:crypto";
import {
  NEWER_SERVER_METHOD_NAMES,
  type RuntimeMethods,
  SERVER_METHOD_NAMES,
  type SessionSummary,
} from "@rightseat/protocol";
import { type CallOptions, orAborted, pause, withLimits } from "./call-options.ts";
import { assertOptions, callTimeoutOf, resolveConnection } from "./config/client-settings.ts";
import {
  type PreparedConfig,
  prepareConfig,
  toCreateParams,
  toResumeParams,
} from "./config/session-params.ts";
import { Losses } from "./connection/losses.ts";
import type { LinkState } from "./connection/settings.ts";
import { ConnectionError, reasonOf, toError } from "./errors.ts";
import { Hub } from "./hub.ts";
import { ModelList, toModelInfo } from "./model-list.ts";
import { createRpc, type ServerRpc } from "./rpc.ts";
import type { JoinRequest } from "./session/attachment.ts";
import { SessionCore, type SessionHost } from "./session/core.ts";
import { SessionHold } from "./session/hold.ts";
import { CopilotSession } from "./session/session.ts";
import { assertFsProvider, createSessionFsAdapter } from "./session-fs.ts";
import { Turns } from "./turns.ts";
import type { CopilotClientOptions, TraceContext } from "./types/client-options.ts";
import type { ResumeSessionConfig, SessionConfig, SessionConfigBase } from "./types/join-config.ts";
import type { ModelInfo } from "./types/providers.ts";
import type {
  GetAuthStatusResponse,
  GetStatusResponse,
  SessionLifecycleEvent,
  SessionLifecycleEventType,
  SessionLifecycleHandler,
  SessionListFilter,
  SessionMetadata,
  TypedSessionLifecycleHandler,
} from "./types/sessions.ts";

/** How long a session may take to be left when the client stops, in milliseconds. */
const LEAVE_MS = 5000;
/** A deletion whose answer was lost is asked for again this long, and this often where another server is at it. */
const DELETE_AGAIN_FOR_MS = 60_000;
const DELETE_AGAIN_AFTER_MS = 200;
/** How long a trace context may take to get, in milliseconds; without it a call goes out untraced. */
const TRACE_MS = 2000;

/**
 * A client of a Rightseat server, with the API of the official SDK's `CopilotClient`. A connection that is
 * lost is made again, at another address where there are several; its sessions are resumed, and calls
 * wait meanwhile.
 *
 * @example
 * const client = new CopilotClient({ connection: RuntimeConnection.forUri("localhost:4321") });
 * const session = await client.createSession({ onPermissionRequest: approveAll });
 * const answer = await session.sendAndWait("What is in this folder?");
 * await client.stop();
 */
export class CopilotClient {
  readonly #options: CopilotClientOptions;
  readonly #hub: Hub;
  readonly #models: ModelList;
  readonly #host: SessionHost;
  #rpc: ServerRpc | undefined;
  #stopping: Promise<Error[]> | undefined;
  /** How often the client was stopped: what was begun before does not go on after. */
  #stops = 0;
  /** Joins of one session happen one after the other. */
  readonly #turns = new Turns();

  /** @throws Error for options that cannot be used, or not together. Nothing is connected yet. */
  constructor(options: CopilotClientOptions = {}) {
    const connection = resolveConnection(options);
    assertOptions(options, connection);
    this.#options = options;
    this.#hub = new Hub(options, connection);
    this.#models = new ModelList(() => this.#fetchModels());
    this.#host = {
      link: this.#hub.link,
      callTimeoutMs: callTimeoutOf(options),
      traceContext: () => this.#traceContext(),
      callbacks: this.#hub.callbacks,
      onGone: (core) => {
        if (this.#hub.sessions.get(core.id) === core) this.#hub.sessions.delete(core.id);
      },
    };
  }

  /** Every method of the published contract that is about the server as a whole. @throws Error before `start`. */
  get rpc(): ServerRpc {
    if (!this.#hub.link.isStarted) throw new Error("Client is not connected. Call start() first.");
    this.#rpc ??= createRpc<ServerRpc>(
      [...SERVER_METHOD_NAMES, ...NEWER_SERVER_METHOD_NAMES],
      "",
      (method, params, options) => this.#hub.call(method, params, options),
    );
    return this.#rpc;
  }

  /**
   * Connects; does nothing while connected. While a lost connection is being made again, tries now.
   * @throws Error when no address answers, the token is refused, or the protocol is another
   */
  async start(options?: CallOptions): Promise<void> {
    if (this.#stopping) await this.#stopping;
    await this.#limited(options, (signal) => this.#hub.link.connect(signal));
  }

  /** Leaves all sessions and disconnects; the server keeps the conversations. Resolves with what went wrong. */
  stop(): Promise<Error[]> {
    this.#stops += 1;
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  /** Disconnects at once, telling nobody. */
  async forceStop(): Promise<void> {
    this.#stops += 1;
    const { sessions, joining } = this.#hub;
    for (const core of [...sessions.values(), ...joining.values()]) core.close();
    this.#models.forget();
    await this.#hub.link.close("now");
    await this.#hub.endpoints.stop("now", () => Promise.resolve());
  }

  /** The same as `stop`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The address of the server that is connected, as `host:port`. */
  get address(): string | undefined {
    return this.#hub.link.endpointName;
  }

  /** `connecting` also while a lost connection is being made again. */
  getState(): LinkState {
    return this.#hub.link.state;
  }

  /** Makes a session; connects first when need be. */
  async createSession(config: SessionConfig = {}, options?: CallOptions): Promise<CopilotSession> {
    const ownId = config.sessionId !== undefined;
    const sessionId = config.sessionId ?? randomUUID();
    return this.#join("session.create", sessionId, config, options, (prepared) => ({
      method: "session.create",
      params: toCreateParams(prepared, config, sessionId),
      ownId,
    }));
  }

  /**
   * Resumes a session, whoever made it; connects first if necessary. In mode `empty`, a
   * session of which nothing is said has no tools but the application's own.
   */
  async resumeSession(
    sessionId: string,
    config: ResumeSessionConfig = this.#options.mode === "empty" ? { availableTools: ["custom:*"] } : {},
    options?: CallOptions,
  ): Promise<CopilotSession> {
    return this.#join("session.resume", sessionId, config, options, (prepared) => ({
      method: "session.resume",
      params: toResumeParams(prepared, config, sessionId),
      ownId: true,
    }));
  }

  /** Asks the server to answer. */
  async ping(
    message?: string,
    options?: CallOptions,
  ): Promise<{ message: string; timestamp: string; protocolVersion?: number }> {
    return (await this.#hub.call("ping", { message }, options)) as Awaited<ReturnType<CopilotClient["ping"]>>;
  }

  /** The versions of the server and of the protocol. */
  async getStatus(options?: CallOptions): Promise<GetStatusResponse> {
    return (await this.#hub.call("status.get", {}, options)) as GetStatusResponse;
  }

  /** Whether GitHub knows the server. */
  async getAuthStatus(options?: CallOptions): Promise<GetAuthStatusResponse> {
    return (await this.#hub.call("auth.getStatus", {}, options)) as GetAuthStatusResponse;
  }

  /** The models there are, from the server or `onListModels`; asked for once until the client stops. */
  async listModels(options?: CallOptions): Promise<ModelInfo[]> {
    return this.#limited(options, (signal) =>
      orAborted(this.#models.get(), signal).catch((error: unknown) => {
        // A list that does not come keeps nobody else waiting.
        if (signal?.aborted) this.#models.forget();
        throw error;
      }),
    );
  }

  /** The session that changed last. */
  async getLastSessionId(options?: CallOptions): Promise<string | undefined> {
    const result = await this.#hub.call("session.getLastId", {}, options);
    return (result as { sessionId?: string }).sessionId;
  }

  /** All sessions, whoever made them; the last changed comes first. */
  async listSessions(filter?: SessionListFilter, options?: CallOptions): Promise<SessionMetadata[]> {
    const { workingDirectory, ...rest } = filter ?? {};
    const params = { filter: filter && { ...rest, cwd: workingDirectory } };
    const result = (await this.#hub.call("session.list", params, options)) as { sessions: SessionSummary[] };
    return result.sessions.map(toMetadata);
  }

  /** One session as `listSessions` shows it; undefined when there is none. */
  async getSessionMetadata(sessionId: string, options?: CallOptions): Promise<SessionMetadata | undefined> {
    const result = await this.#hub.call("session.getMetadata", { sessionId }, options);
    const { session } = result as { session?: SessionSummary };
    return session && toMetadata(session);
  }

  /** Deletes a session and its history for good. @throws Error when there is none. */
  async deleteSession(sessionId: string, options?: CallOptions): Promise<void> {
    let maybeDone = false;
    const startedMs = performance.now();
    const losses = new Losses(this.#hub.link.giveUpAfterMs);
    for (;;) {
      try {
        const result = await this.#hub.call("session.delete", { sessionId }, options);
        const { success, error } = result as RuntimeMethods["session.delete"]["result"];
        // Gone already, it may be this very call that deleted it.
        if (!success && !maybeDone)
          throw new Error(`Failed to delete session ${sessionId}: ${error || "Unknown error"}`);
        this.#hub.deleted(sessionId);
        return;
      } catch (error) {
        const isLost = error instanceof ConnectionError && error.maybeDone;
        // Another server of the cluster may be deleting it for the call that was lost.
        const isHeld = maybeDone && reasonOf(error) === "session_in_use";
        const late = performance.now() - startedMs > DELETE_AGAIN_FOR_MS;
        if (!(isLost || isHeld) || late || this.#options.reconnect === false) throw error;
        if (isLost && losses.areTooMany()) throw error;
        maybeDone = true;
        if (isHeld) await pause(DELETE_AGAIN_AFTER_MS, options?.signal);
      }
    }
  }

  /** Always undefined of a server: it shows no session to anybody. */
  async getForegroundSessionId(options?: CallOptions): Promise<string | undefined> {
    const result = await this.#hub.call("session.getForeground", {}, options);
    return (result as { sessionId?: string }).sessionId;
  }

  /** @throws Error of a server that shows no sessions. */
  async setForegroundSessionId(sessionId: string, options?: CallOptions): Promise<void> {
    const result = await this.#hub.call("session.setForeground", { sessionId }, options);
    const { success, error } = result as RuntimeMethods["session.setForeground"]["result"];
    if (!success) throw new Error(error || "Failed to set foreground session");
  }

  /** Tells of sessions that are made, changed or deleted, by whomever. Returns the way to stop. */
  onLifecycle<K extends SessionLifecycleEventType>(
    eventType: K,
    handler: TypedSessionLifecycleHandler<K>,
  ): () => void;
  onLifecycle(handler: SessionLifecycleHandler): () => void;
  onLifecycle(typeOrHandler: string | SessionLifecycleHandler, handler?: unknown): () => void {
    const { lifecycle } = this.#hub;
    if (typeof typeOrHandler === "function") return lifecycle.add(undefined, typeOrHandler);
    return lifecycle.add(typeOrHandler, handler as (event: SessionLifecycleEvent) => void);
  }

  /** The same as `onLifecycle`, by its older name. */
  on<K extends SessionLifecycleEventType>(eventType: K, handler: TypedSessionLifecycleHandler<K>): () => void;
  on(handler: SessionLifecycleHandler): () => void;
  on(typeOrHandler: string | SessionLifecycleHandler, handler?: unknown): () => void {
    return this.onLifecycle(typeOrHandler as never, handler as never);
  }

  async #join(
    method: JoinRequest["method"],
    sessionId: string,
    config: SessionConfigBase,
    options: CallOptions | undefined,
    requestOf: (prepared: PreparedConfig) => JoinRequest,
  ): Promise<CopilotSession> {
    if (this.#stopping) await this.#stopping;
    const stops = this.#stops;
    const timeoutMs = options?.timeoutMs ?? this.#host.callTimeoutMs;
    return withLimits(method, { ...options, timeoutMs }, async (signal) => {
      const { mode = "copilot-cli", onGitHubTelemetry } = this.#options;
      const prepared = await prepareConfig(config, mode, onGitHubTelemetry !== undefined);
      this.#assertNotStopped(stops);
      if (!this.#hub.link.isStarted || this.getState() === "error") await this.#hub.link.connect(signal);
      const trace = await orAborted(Promise.resolve(this.#traceContext()), signal);
      const asked = requestOf(prepared);
      const request = { ...asked, params: { ...trace, ...asked.params } };
      const endTurn = await this.#turns.take(sessionId, signal);
      this.#assertNotStopped(stops, endTurn);
      const hold = new SessionHold(config, prepared, this.#hub.callbacks);
      const prepare = (session: CopilotSession) => {
        if (config.onEvent) session.on(config.onEvent);
        this.#keepFiles(hold, session, config);
      };
      return this.#joinInTurn(sessionId, hold, request, { prepare, signal, endTurn });
    });
  }

  /** A session that is open already is shared, when it is resumed. What fails leaves it as it was. */
  async #joinInTurn(
    sessionId: string,
    hold: SessionHold,
    request: JoinRequest,
    { prepare, signal, endTurn }: JoinTurn,
  ): Promise<CopilotSession> {
    const { sessions, joining, orphans } = this.#hub;
    const limits = { signal, timeoutMs: Number.POSITIVE_INFINITY };
    let core: SessionCore | undefined;
    let withdrawn: Promise<void> | undefined;
    try {
      while (sessions.get(sessionId)?.isLeaving) await sessions.get(sessionId)?.notLeaving(signal);
      const open = sessions.get(sessionId);
      const shared = request.method === "session.resume" ? open : undefined;
      core = shared ?? new SessionCore(sessionId, this.#host, hold);
      const session = new CopilotSession(core, hold);
      prepare(session);
      if (shared) {
        await shared.rejoin(request.params, hold, limits);
        return session;
      }
      joining.set(sessionId, core);
      const isOpen = open !== undefined;
      const maybeMade = request.method === "session.create" && orphans.take(sessionId) && !isOpen;
      await core.join({ ...request, maybeMade, isOpen }, limits, (join) => {
        withdrawn = orphans.withdraw(sessionId, request, join);
      });
      // Another client has deleted it, without a word to this one.
      open?.close(new Error(`the session ${sessionId} was deleted, and made anew`));
      sessions.set(sessionId, core);
      return session;
    } catch (error) {
      hold.close(toError(error));
      if (core && core !== sessions.get(sessionId)) await this.#undo(core, request.method);
      throw error;
    } finally {
      if (joining.get(sessionId) === core) joining.delete(sessionId);
      if (withdrawn) void withdrawn.finally(endTurn);
      else endTurn();
    }
  }

  /** Made, but not as it was asked for: it must not go on with more than it was to have. */
  async #undo(core: SessionCore, method: JoinRequest["method"]): Promise<void> {
    if (core.wasJoined) {
      await core.leaveAll({ timeoutMs: LEAVE_MS }).catch(() => undefined);
      if (method === "session.create") {
        const limits = { timeoutMs: LEAVE_MS };
        await this.#hub.call("session.delete", { sessionId: core.id }, limits).catch(() => undefined);
      }
    }
    core.close();
  }

  #assertNotStopped(stops: number, endTurn?: () => void): void {
    if (stops === this.#stops) return;
    endTurn?.();
    throw new ConnectionError("Connection is closed: the client was stopped");
  }

  #keepFiles(hold: SessionHold, session: CopilotSession, config: SessionConfigBase): void {
    const { sessionFs } = this.#options;
    if (!sessionFs) return;
    if (!config.createSessionFsProvider) {
      throw new Error(
        "createSessionFsProvider is required in session config when sessionFs is enabled in client options.",
      );
    }
    const provider = config.createSessionFsProvider(session);
    assertFsProvider(provider);
    if (sessionFs.capabilities?.sqlite && !provider.sqlite) {
      throw new Error(
        "SessionFsConfig declares capabilities.sqlite but the provider does not implement sqlite.",
      );
    }
    hold.files = createSessionFsAdapter(provider);
  }

  async #fetchModels(): Promise<readonly ModelInfo[]> {
    const { onListModels } = this.#options;
    if (onListModels) {
      const given: unknown = await onListModels();
      if (Array.isArray(given)) return given;
      throw new TypeError(
        `onListModels: expected a list of models, got ${given === null ? "null" : typeof given}`,
      );
    }
    const { models } = (await this.#hub.call("models.list")) as { models: ModelInfo[] };
    return models.map(toModelInfo);
  }

  /** Asked for only when there is somebody to ask: prompts then go out in the tick in which they are given. */
  #traceContext(): Promise<TraceContext | undefined> | undefined {
    const { onGetTraceContext } = this.#options;
    if (!onGetTraceContext) return undefined;
    const got = Promise.resolve()
      .then(onGetTraceContext)
      .then((context: Partial<TraceContext> | undefined) => ({
        traceparent: context?.traceparent,
        tracestate: context?.tracestate,
      }));
    return withLimits("onGetTraceContext", { timeoutMs: TRACE_MS }, (limit) => orAborted(got, limit)).catch(
      (error: unknown) => {
        this.#hub.callbacks.warn("onGetTraceContext failed; the call goes out untraced", {
          error: toError(error),
        });
        return undefined;
      },
    );
  }

  async #stop(): Promise<Error[]> {
    const errors: Error[] = [];
    const cores = [...this.#hub.sessions.values()];
    for (const core of this.#hub.joining.values()) core.close(new ConnectionError("the client was stopped"));
    await Promise.all(
      cores.map(async (core) => {
        try {
          await core.leaveAll({ timeoutMs: LEAVE_MS });
        } catch (error) {
          errors.push(
            new Error(`Failed to disconnect session ${core.id}: ${toError(error).message}`, { cause: error }),
          );
          core.close();
        }
      }),
    );
    this.#models.forget();
    const shutdown = () => this.#hub.call("runtime.shutdown", {}, { once: true });
    errors.push(...(await this.#hub.endpoints.stop("gently", shutdown)));
    await this.#hub.link.close("flush");
    return errors;
  }

  #limited<T>(options: CallOptions | undefined, work: (signal?: AbortSignal) => Promise<T>): Promise<T> {
    return withLimits("the server", options, work);
  }
}

/** What it takes to join a session once it is one's turn. */
interface JoinTurn {
  /** Gives a session object its listeners and files. */
  readonly prepare: (session: CopilotSession) => void;
  readonly signal: AbortSignal | undefined;
  readonly endTurn: () => void;
}

function toMetadata(summary: SessionSummary): SessionMetadata {
  const { sessionId, summary: about, isRemote, context } = summary;
  const startTime = new Date(summary.startTime);
  return {
    sessionId,
    startTime,
    createdAt: startTime,
    modifiedTime: new Date(summary.modifiedTime),
    summary: about,
    isRemote,
    context: context && {
      workingDirectory: context.cwd,
      gitRoot: context.gitRoot,
      repository: context.repository,
      branch: context.branch,
    },
  };
}
