/** A client's options, checked, and what follows from them. */
import { isAbsolute } from "node:path";
import { assertTime } from "../call-options.ts";
import { parseAddresses } from "../connection/address.ts";
import type { HeartbeatOptions } from "../connection/heartbeat.ts";
import { environment } from "../environment.ts";
import { assertSessionFsConfig } from "../session-fs.ts";
import {
  type CopilotClientOptions,
  type InProcessRuntimeConnection,
  RuntimeConnection,
  type StdioRuntimeConnection,
  type TcpRuntimeConnection,
  type UriRuntimeConnection,
} from "../types/client-options.ts";

/** Where the server is, or how it is started. */
export type ResolvedConnection = UriRuntimeConnection | StdioRuntimeConnection | TcpRuntimeConnection;

/** With another address to go to a server may be given up soon; without one, only when it is surely gone. */
const QUICK: HeartbeatOptions = { silenceMs: 350, answerMs: 600, idleMs: 15_000 };
const PATIENT: HeartbeatOptions = { silenceMs: 3000, answerMs: 7000, idleMs: 15_000 };

export interface ClientTimes {
  readonly heartbeat: HeartbeatOptions | false;
  readonly connectTimeoutMs: number;
  /** For `connectionToken`, when it is a function. */
  readonly tokenTimeoutMs: number;
  /** For a server that says that it judges an attempt later. */
  readonly maxAdmissionMs: number;
}

export function timesOf(options: CopilotClientOptions, connection: ResolvedConnection): ClientTimes {
  const several = connection.kind === "uri" && parseAddresses(connection.url).length > 1;
  const base = several ? QUICK : PATIENT;
  // The pipes of a process end with it: there is nothing to find out by asking.
  const heartbeat =
    options.heartbeat === false || connection.kind === "stdio" ? false : { ...base, ...options.heartbeat };
  return {
    heartbeat,
    connectTimeoutMs: options.connectTimeoutMs ?? (several ? 900 : 10_000),
    tokenTimeoutMs: options.connectTimeoutMs ?? 10_000,
    maxAdmissionMs: options.connectTimeoutMs === undefined ? 10_000 : 3 * options.connectTimeoutMs,
  };
}

/** The limit of calls that have none; 0 is none, too. */
export function callTimeoutOf({ callTimeoutMs }: CopilotClientOptions): number | undefined {
  return callTimeoutMs || undefined;
}

/** @throws Error for options that contradict each other. */
export function resolveConnection(options: CopilotClientOptions): ResolvedConnection {
  if (options.cliUrl !== undefined && options.connection)
    throw new Error("cliUrl and connection both say where the server is; give one of them");
  const connection =
    options.cliUrl !== undefined
      ? RuntimeConnection.forUri(options.cliUrl)
      : (options.connection ?? defaultConnection());
  if (connection.kind === "inprocess") throw inProcessRefused(connection);
  if (connection.kind === "uri") {
    if (options.gitHubToken !== undefined || options.useLoggedInUser !== undefined) {
      throw new Error(
        "gitHubToken and useLoggedInUser cannot be used with RuntimeConnection.forUri (external server manages its own auth); give sessions a gitHubToken of their own",
      );
    }
    parseAddresses(connection.url);
  } else if (connection.env !== undefined && options.env !== undefined) {
    throw new Error(
      "Set environment variables via either the client-level env option or the connection's env, not both.",
    );
  }
  if (connection.kind === "tcp" && connection.connectionToken === "")
    throw new Error("connectionToken must be a non-empty string");
  return connection;
}

/** @throws Error that says which option cannot be used so. */
export function assertOptions(options: CopilotClientOptions, connection: ResolvedConnection): void {
  if (options.sessionFs) assertSessionFsConfig(options.sessionFs);
  const { callTimeoutMs, connectTimeoutMs, heartbeat, reconnect } = options;
  const times = { callTimeoutMs, connectTimeoutMs, ...(heartbeat || {}), ...(reconnect || {}) };
  for (const [name, value] of Object.entries(times)) if (value !== undefined) assertTime(name, value);
  for (const path of options.builtinPluginDirectories ?? []) {
    if (!isAbsolute(path))
      throw new Error(`builtinPluginDirectories must contain only absolute paths: ${path}`);
  }
  const keepsItself = connection.kind === "uri";
  if (options.mode === "empty" && !keepsItself && !options.baseDirectory && !options.sessionFs) {
    throw new Error(
      "CopilotClient was created with mode: 'empty' but neither 'baseDirectory' nor 'sessionFs' was set: say where the runtime that it starts is to keep its sessions.",
    );
  }
}

const DEFAULT_CONNECTION = "COPILOT_SDK_DEFAULT_CONNECTION";

function defaultConnection(): StdioRuntimeConnection | InProcessRuntimeConnection {
  const value = environment()[DEFAULT_CONNECTION];
  if (!value || value.toLowerCase() === "stdio") return RuntimeConnection.forStdio();
  if (value.toLowerCase() === "inprocess") return RuntimeConnection.forInProcess();
  throw new Error(`Invalid ${DEFAULT_CONNECTION} value '${value}'. Expected 'inprocess', 'stdio', or unset.`);
}

function inProcessRefused(_connection: InProcessRuntimeConnection): Error {
  return new Error(
    "RuntimeConnection.forInProcess() is not supported by @rightseat/sdk: it has no native code. Start a server and use RuntimeConnection.forUri(), or let the client start one with RuntimeConnection.forStdio().",
  );
}
