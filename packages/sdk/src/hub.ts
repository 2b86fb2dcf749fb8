/** Between the connection and the sessions: who is told what, and who answers. */
import type {
  GitHubTokenAcquireRequest,
  RequestContext as PeerRequest,
  RuntimeNotifications,
  SessionEvent,
} from "@rightseat/protocol";
import { RpcError } from "@rightseat/protocol";
import { type CallOptions, withLimits } from "./call-options.ts";
import { type Callbacks, createCallbacks } from "./callbacks.ts";
import { callTimeoutOf, type ResolvedConnection, timesOf } from "./config/client-settings.ts";
import type { Channel } from "./connection/channel.ts";
import { type Endpoints, endpointsOf } from "./connection/endpoints.ts";
import { shakeHands } from "./connection/handshake.ts";
import { Link } from "./connection/link.ts";
import { Losses, lostTooOften } from "./connection/losses.ts";
import type { Patience } from "./connection/patience.ts";
import { ConnectionError, isConnectionLoss } from "./errors.ts";
import { Listeners } from "./events/listeners.ts";
import { createInferenceRequests, type InferenceRequests } from "./inference-requests.ts";
import { confirmInstallation } from "./installations.ts";
import { Orphans } from "./orphans.ts";
import { isRepeatable } from "./rpc.ts";
import type { SessionCore } from "./session/core.ts";
import type { CopilotClientOptions } from "./types/client-options.ts";
import type { SessionLifecycleEvent } from "./types/sessions.ts";

export class Hub {
  readonly link: Link;
  readonly endpoints: Endpoints;
  /** Sessions that are open: those that the server has created or resumed for this client, one by each id. */
  readonly sessions = new Map<string, SessionCore>();
  /** Sessions that the server is being asked for, at most one by each id. */
  readonly joining = new Map<string, SessionCore>();
  readonly orphans = new Orphans(() => this.link.channel);
  readonly callbacks: Callbacks;
  readonly lifecycle: Listeners<SessionLifecycleEvent>;
  readonly #options: CopilotClientOptions;
  readonly #inferences: InferenceRequests | undefined;

  constructor(options: CopilotClientOptions, connection: ResolvedConnection) {
    this.#options = options;
    const { warn, tell } = createCallbacks(options.onWarning);
    this.callbacks = { warn, tell };
    this.lifecycle = new Listeners((error) => warn("a listener of the client failed", { error }));
    this.endpoints = endpointsOf(connection, options);
    const { heartbeat, connectTimeoutMs, tokenTimeoutMs, maxAdmissionMs } = timesOf(options, connection);
    const { requestHandler } = options;
    this.#inferences =
      requestHandler &&
      createInferenceRequests(requestHandler, (method, params) => this.call(method, params, { once: true }));
    this.link = new Link({
      endpoints: this.endpoints.list,
      connectTimeoutMs,
      maxAdmissionMs,
      // A runtime that was started here is gone for good when its connection is.
      reconnect: connection.kind === "uri" ? (options.reconnect ?? {}) : false,
      heartbeat,
      introduce: (channel, patience) => this.#introduce(channel, patience, tokenTimeoutMs),
      onRequest: (method, params, context) => this.#onRequest(method, params, context),
      onNotification: (method, params) => this.#onNotification(method, params),
      onUnsendable: (method, error) => warn(`the answer to ${method} could not be sent`, { error }),
      onUp: (channel) => {
        this.orphans.linkUp(channel);
        for (const session of this.sessions.values()) session.linkUp(channel);
      },
      onDown: (reason, final) => {
        this.#inferences?.drop(reason);
        for (const session of [...this.sessions.values()]) session.linkDown(reason, final);
      },
      onState: (state, reason) => tell("onConnectionState", options.onConnectionState, state, reason),
      isNeeded: () => this.sessions.size > 0 || this.lifecycle.size > 0,
      isBusy: () => {
        for (const session of this.sessions.values()) if (session.progress.isRunning) return true;
        return false;
      },
    });
  }

  /** Calls a method of the server as a whole. */
  call(method: string, params: object = {}, options?: CallOptions & { once?: boolean }): Promise<unknown> {
    const limits = { ...options, timeoutMs: options?.timeoutMs ?? callTimeoutOf(this.#options) };
    const repeat = options?.once !== true && isRepeatable(method);
    return withLimits(method, limits, async (signal) => {
      const losses = new Losses(this.link.giveUpAfterMs);
      for (;;) {
        const channel = await this.link.ready(signal);
        try {
          return await channel.request(method, params, signal);
        } catch (error) {
          if (!isConnectionLoss(error)) throw error;
          if (repeat && losses.areTooMany()) throw lostTooOften(method, error);
          if (repeat) continue;
          throw new ConnectionError(
            `Connection is closed: it was lost before ${method} was answered; the server may have carried it out or not`,
            { cause: error, maybeDone: true },
          );
        }
      }
    });
  }

  /** What a new connection begins with. */
  async #introduce(channel: Channel, patience: Patience, tokenTimeoutMs: number): Promise<void> {
    const {
      onGitHubTelemetry,
      builtinPluginDirectories,
      sessionFs,
      extensionLaunchProvider,
      requestHandler,
      clientInfo,
    } = this.#options;
    const { token } = this.endpoints;
    await shakeHands(
      channel,
      {
        token,
        clientInfo,
        enableGitHubTelemetryForwarding: onGitHubTelemetry !== undefined,
        tokenTimeoutMs,
      },
      patience,
    );
    const { signal } = patience;
    if (builtinPluginDirectories && builtinPluginDirectories.length > 0)
      await channel.request("plugins.builtin.set", { paths: builtinPluginDirectories }, signal);
    if (sessionFs) await channel.request("sessionFs.setProvider", sessionFs, signal);
    if (extensionLaunchProvider) await channel.request("registerExtensionLaunchProvider", {}, signal);
    if (requestHandler) await channel.request("llmInference.setProvider", {}, signal);
  }

  #onRequest(method: string, params: unknown, context: PeerRequest): unknown {
    if (method.startsWith("llmInference.") && this.#inferences)
      return this.#inferences.answer(method, params as never);
    if (method === "gitHubToken.getToken") return this.#gitHubToken(params as GitHubTokenAcquireRequest);
    if (method === "gitHubTelemetry.event") return this.#tellTelemetry(params);
    const { installationConfirmationHandler, extensionLaunchProvider } = this.#options;
    if (method === "installations.confirm")
      return confirmInstallation(
        installationConfirmationHandler,
        params as never,
        context.signal,
        this.callbacks.warn,
      );
    if (method === "extensionLaunchProvider.resolve" && extensionLaunchProvider)
      return extensionLaunchProvider.resolve(params as never);
    const { sessionId } = (params ?? {}) as { sessionId?: unknown };
    if (typeof sessionId !== "string")
      throw new RpcError("method_not_found", `Unhandled method ${method}`, { method });
    const session = this.#sessionOf(sessionId);
    if (!session) throw new Error(`Session not found: ${sessionId}`);
    return session.answer(method, params, context);
  }

  #sessionOf(sessionId: string): SessionCore | undefined {
    return this.sessions.get(sessionId) ?? this.joining.get(sessionId);
  }

  #gitHubToken(request: GitHubTokenAcquireRequest): unknown {
    for (const session of [...this.sessions.values(), ...this.joining.values()]) {
      const token = session.gitHubToken(request);
      if (token !== undefined) return token;
    }
    throw new Error(`No GitHub token provider registered for registration ID "${request.registrationId}"`);
  }

  #onNotification(method: string, params: unknown): void {
    if (method === "session.event") {
      const { sessionId, event } = params as { sessionId: string; event: SessionEvent };
      this.#sessionOf(sessionId)?.receive(event);
    } else if (method === "session.lifecycle") {
      const event = toLifecycleEvent(params as RuntimeNotifications["session.lifecycle"]["params"]);
      // By whomever: whoever waits for an answer waits in vain.
      if (event.type === "session.deleted") this.deleted(event.sessionId);
      this.lifecycle.tell(event);
    } else if (method === "gitHubTelemetry.event") {
      this.#tellTelemetry(params);
    }
  }

  /** The session is not there any more. */
  deleted(sessionId: string): void {
    this.sessions.get(sessionId)?.close(new Error(`the session ${sessionId} was deleted`));
  }

  #tellTelemetry(params: unknown): null {
    this.callbacks.tell("onGitHubTelemetry", this.#options.onGitHubTelemetry, params as never);
    return null;
  }
}

function toLifecycleEvent(told: RuntimeNotifications["session.lifecycle"]["params"]): SessionLifecycleEvent {
  const { type, sessionId } = told;
  const { startTime, modifiedTime, summary } = told.metadata ?? {};
  const metadata =
    startTime && modifiedTime
      ? { startTime: new Date(startTime), modifiedTime: new Date(modifiedTime), summary }
      : undefined;
  return { type, sessionId, metadata } as SessionLifecycleEvent;
}
