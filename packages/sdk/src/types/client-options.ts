/** Options of a client: how it finds its server, and how it behaves. */
import type {
  ExtensionLaunchProviderResolveRequest,
  ExtensionLaunchProviderResolveResult,
  GitHubTelemetryNotification,
  InstallationConfirmationRequest,
  InstallationDecision,
} from "@rightseat/protocol";
import type { CopilotClientInfo } from "../connection/client-info.ts";
import type { TlsOptions } from "../connection/dial.ts";
import type { HeartbeatOptions } from "../connection/heartbeat.ts";
import type { ConnectionToken, LinkState, ReconnectOptions } from "../connection/settings.ts";
import type { CopilotRequestHandler } from "../request-handler.ts";
import type { SessionFsConfig } from "../session-fs.ts";
import type { ModelInfo } from "./providers.ts";

/** W3C trace context. */
export interface TraceContext {
  traceparent?: string;
  tracestate?: string;
}

/** Gets the trace context of the work under way. */
export type TraceContextProvider = () => TraceContext | Promise<TraceContext>;

/** Tracing of a runtime that this client starts itself. */
export interface TelemetryConfig {
  otlpEndpoint?: string;
  otlpProtocol?: "http/json" | "http/protobuf";
  filePath?: string;
  exporterType?: string;
  sourceName?: string;
  captureContent?: boolean;
}

/** A runtime that this client starts. */
export interface ChildProcessRuntimeConnection {
  /** The runtime's executable or script; default `COPILOT_CLI_PATH`, then an installed `rightseat`. */
  readonly path?: string;
  readonly args?: readonly string[];
  /** Takes the place of this process's environment. */
  readonly env?: Record<string, string>;
}

/** A runtime that this client starts, spoken to over its standard input and output. */
export interface StdioRuntimeConnection extends ChildProcessRuntimeConnection {
  readonly kind: "stdio";
}

/** A runtime that this client starts, spoken to over TCP. */
export interface TcpRuntimeConnection extends ChildProcessRuntimeConnection {
  readonly kind: "tcp";
  /** Default: a free one. */
  readonly port?: number;
  /** Default: a new one. */
  readonly connectionToken?: string;
}

/** Refused: there is no runtime that could be loaded into this process. */
export interface InProcessRuntimeConnection {
  readonly kind: "inprocess";
}

/** Servers that run already. */
export interface UriRuntimeConnection {
  readonly kind: "uri";
  /** One address, or several with commas between; see `forUri`. */
  readonly url: string;
  readonly connectionToken?: ConnectionToken;
  readonly tls?: TlsOptions;
}

/** Where the server is, or how it is started; made by the functions of `RuntimeConnection`. */
export type RuntimeConnection =
  | StdioRuntimeConnection
  | InProcessRuntimeConnection
  | TcpRuntimeConnection
  | UriRuntimeConnection;

/** How to connect to servers that run already. */
export interface UriOptions {
  /** The secret that the server expects, or a function that gets one for each connection. */
  connectionToken?: ConnectionToken;
  /** For `tls://` and `https://`. */
  tls?: TlsOptions;
}

/** Makes the ways to a server that `CopilotClientOptions.connection` takes. */
export const RuntimeConnection = {
  /** Starts a runtime and speaks to it over its standard input and output. */
  forStdio(
    options: { path?: string; args?: readonly string[]; env?: Record<string, string> } = {},
  ): StdioRuntimeConnection {
    return { kind: "stdio", path: options.path, args: options.args, env: options.env };
  },
  /** Starts a runtime and speaks to it over TCP. */
  forTcp(
    options: {
      port?: number;
      connectionToken?: string;
      path?: string;
      args?: readonly string[];
      env?: Record<string, string>;
    } = {},
  ): TcpRuntimeConnection {
    const { port, connectionToken, path, args, env } = options;
    return { kind: "tcp", port, connectionToken, path, args, env };
  },
  /**
   * A server that runs already: `port`, `host:port`, `http://host:port` or `tcp://host:port` for a plain
   * connection, `tls://host:port` or `https://host:port` for an encrypted one. Several, with commas
   * between, are several servers of one home.
   */
  forUri(url: string, options: UriOptions = {}): UriRuntimeConnection {
    return { kind: "uri", url, connectionToken: options.connectionToken, ...tlsOf(options) };
  },
  /** Several servers of one home; the first that answers is used, the next ones when it goes. */
  forUris(urls: readonly string[], options: UriOptions = {}): UriRuntimeConnection {
    return RuntimeConnection.forUri(urls.join(","), options);
  },
  /** Refused by the client: there is no runtime that could be loaded into this process. */
  forInProcess(): InProcessRuntimeConnection {
    return { kind: "inprocess" };
  },
} as const;

function tlsOf({ tls }: UriOptions): { tls?: TlsOptions } {
  return tls ? { tls } : {};
}

/**
 * What is on unless a session says otherwise. `copilot-cli`: what a coding agent on its user's machine
 * has. `empty`: nothing; the choice for servers with many users.
 */
export type CopilotClientMode = "empty" | "copilot-cli";

/** Says how the programs of extensions are started. A server without extensions refuses to be told of one. */
export interface ExtensionLaunchProvider {
  /** Says how the extension is to be started. */
  resolve(params: ExtensionLaunchProviderResolveRequest): Promise<ExtensionLaunchProviderResolveResult>;
}

/** Whether what is asked about an installation is still wanted. */
export interface InstallationCancellation {
  readonly isCancellationRequested: boolean;
  /** Calls the listener once when the server, or the connection, has given up asking. */
  onCancellationRequested(listener: () => void): {
    /** Ends the watch. */
    dispose(): void;
  };
}

/** Asks a human whether something is to be installed, removed or kept. */
export type InstallationConfirmationHandler = (
  request: InstallationConfirmationRequest,
  cancellation: InstallationCancellation,
) => InstallationDecision | Promise<InstallationDecision>;

/** Options of a client. Every field may be left out. */
export interface CopilotClientOptions {
  /** Default: a runtime that the client starts, on stdio. */
  connection?: RuntimeConnection;
  /** The same as `connection: RuntimeConnection.forUri(cliUrl)`. */
  cliUrl?: string;
  /** Default `copilot-cli`. */
  mode?: CopilotClientMode;
  /** For `tls://` and `https://` addresses. */
  tls?: TlsOptions;
  /**
   * How a lost connection is made again: see `ReconnectOptions`. False leaves it lost, as the official
   * SDK does; calls then reject.
   */
  reconnect?: ReconnectOptions | false;
  /**
   * How a server that has stopped answering is noticed; false relies on the system's TCP. Default: a
   * second while something is waited for where there is another address to go to, else ten seconds.
   */
  heartbeat?: Partial<HeartbeatOptions> | false;
  /** Milliseconds to connect to one address, handshake included; default as `heartbeat`. */
  connectTimeoutMs?: number;
  /** Milliseconds that any one call may take unless it says otherwise; default no limit. */
  callTimeoutMs?: number;
  /** Told of every change of the connection's state, and why. */
  onConnectionState?: (state: LinkState, reason?: Error) => void;

  /** Told what went wrong in the application's own handlers, where nobody else is; default a warning of the process. */
  onWarning?: (message: string, details: Record<string, unknown>) => void;

  /** Names this client to the server. */
  clientInfo?: CopilotClientInfo;
  /** Answers `listModels` in place of the server. */
  onListModels?: () => Promise<ModelInfo[]> | ModelInfo[];
  /** Asked before `session.create`, `session.resume` and `session.send`. */
  onGetTraceContext?: TraceContextProvider;
  /** Keeps the sessions' files in this application. */
  sessionFs?: SessionFsConfig;
  /** Carries the server's requests to models. */
  requestHandler?: CopilotRequestHandler;
  /** Gets what the server would tell GitHub of its use. */
  onGitHubTelemetry?: (notification: GitHubTelemetryNotification) => void | Promise<void>;
  /** Says how extensions are started. */
  extensionLaunchProvider?: ExtensionLaunchProvider;
  /** Asks a human about installations that the server is to make; without it, they are not confirmed. */
  installationConfirmationHandler?: InstallationConfirmationHandler;
  /** Absolute paths of plugins that the server is told of before any session. */
  builtinPluginDirectories?: readonly string[];

  /** Directory of a runtime that the client starts. */
  workingDirectory?: string;
  /** Where a runtime that the client starts keeps its sessions. */
  baseDirectory?: string;
  /** Log level of a runtime that the client starts. */
  logLevel?: "none" | "error" | "warning" | "info" | "debug" | "all";
  /** Environment of a runtime that the client starts; default this process's. */
  env?: Record<string, string | undefined>;
  /** GitHub token of a runtime that the client starts; a server that runs already has its own. */
  gitHubToken?: string;
  /** For a runtime that the client starts: whether it may use the account that is logged in. */
  useLoggedInUser?: boolean;
  /** Telemetry of a runtime that the client starts. */
  telemetry?: TelemetryConfig;
  /** Idle timeout of sessions, for a runtime that the client starts. */
  sessionIdleTimeoutSeconds?: number;
  /** Remote sessions of a runtime that the client starts. */
  enableRemoteSessions?: boolean;
}
