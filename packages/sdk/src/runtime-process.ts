/** A runtime that the client starts for itself: a Rightseat server, or another that speaks the protocol. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { orAborted, pause } from "./call-options.ts";
import type { ByteStreams } from "./connection/channel.ts";
import { dial } from "./connection/dial.ts";
import { environment } from "./environment.ts";
import { toError } from "./errors.ts";
import type {
  CopilotClientOptions,
  StdioRuntimeConnection,
  TcpRuntimeConnection,
} from "./types/client-options.ts";

/** What of the runtime's standard error is kept for messages. */
const KEPT_STDERR = 8192;
const END_MS = 10_000;
const START_MS = 30_000;
/** A process that is about to end has ended by then. */
const EXIT_MS = 500;

export class RuntimeProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #stderr = "";
  #port: Promise<number> | undefined;
  /** Where it listens, once it does. */
  address: string | undefined;

  /** Resolves once the process runs, or listens. @throws Error with what it said when it does not. */
  static async start(
    connection: StdioRuntimeConnection | TcpRuntimeConnection,
    options: CopilotClientOptions,
    token: string | undefined,
  ): Promise<RuntimeProcess> {
    const variables = connection.env ?? options.env ?? environment();
    const path = connection.path || variables.COPILOT_CLI_PATH || installedRuntime();
    if (!existsSync(path)) throw new Error(`there is no runtime at ${path}`);
    const flags = [...(connection.args ?? []), ...flagsOf(connection, options)];
    const isScript = /\.[cm]?js$/.test(path);
    const nodePath = process.versions.bun ? "node" : process.execPath;
    const child = spawn(isScript ? nodePath : path, isScript ? [path, ...flags] : flags, {
      cwd: options.workingDirectory ?? process.cwd(),
      env: environmentOf(variables, options, token),
      stdio: [connection.kind === "stdio" ? "pipe" : "ignore", "pipe", "pipe"],
      windowsHide: true,
    });
    const runtime = new RuntimeProcess(child);
    if (connection.kind === "tcp") runtime.#port = runtime.#announcedPort();
    const port = await runtime.#port?.catch((error) => {
      child.kill("SIGKILL");
      throw error;
    });
    if (port !== undefined) runtime.address = `127.0.0.1:${port}`;
    return runtime;
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("close", () => resolve());
      child.once("error", (error) => {
        this.#stderr += error.message;
        resolve();
      });
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-KEPT_STDERR);
    });
  }

  async open(timeoutMs: number, signal: AbortSignal): Promise<ByteStreams> {
    const { stdin, stdout } = this.#child;
    if (this.#port) {
      const address = { host: "127.0.0.1", port: await this.#port, secure: false };
      const socket = await dial(address, { timeoutMs, signal });
      return { input: socket, output: socket };
    }
    if (!stdin || !stdout || this.#child.exitCode !== null) throw this.#ended();
    return { input: stdout, output: stdin };
  }

  /** Why a connection failed, when it is that the process has ended. */
  async explain(error: Error): Promise<Error> {
    const limit = new AbortController();
    await Promise.race([this.#exited, pause(EXIT_MS, limit.signal)]);
    limit.abort();
    const { exitCode, signalCode } = this.#child;
    return exitCode === null && signalCode === null ? error : this.#ended(error);
  }

  /** Ends the process: gently, after it was asked to shut down; what does not end is killed. */
  async stop(how: "gently" | "now", shutdown: () => Promise<unknown>): Promise<Error[]> {
    const errors: Error[] = [];
    const child = this.#child;
    if (how === "gently" && child.exitCode === null && child.signalCode === null) {
      const limit = new AbortController();
      void pause(END_MS, limit.signal).then(() => limit.abort(new Error(`no answer within ${END_MS} ms`)));
      await orAborted(shutdown(), limit.signal).catch((error) =>
        errors.push(new Error(`Failed to gracefully shut down runtime: ${toError(error).message}`)),
      );
      limit.abort();
      child.kill();
    }
    const killer = setTimeout(() => child.kill("SIGKILL"), how === "now" ? 0 : END_MS);
    await this.#exited;
    clearTimeout(killer);
    return errors;
  }

  #announcedPort(): Promise<number> {
    return new Promise((resolve, reject) => {
      let said = "";
      const timer = setTimeout(() => reject(new Error("Timeout waiting for CLI server to start")), START_MS);
      this.#child.stdout?.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-KEPT_STDERR);
        const match = /listening on port (\d+)/i.exec(said);
        if (!match) return;
        clearTimeout(timer);
        resolve(Number(match[1]));
      });
      void this.#exited.then(() => {
        clearTimeout(timer);
        reject(this.#ended());
      });
    });
  }

  #ended(cause?: Error): Error {
    const { exitCode, signalCode } = this.#child;
    const said = this.#stderr.trim();
    return new Error(
      `CLI server exited with code ${exitCode ?? signalCode}${said === "" ? "" : `\nstderr: ${said}`}`,
      { cause },
    );
  }
}

/** The command of the package `rightseat`, where it is installed beside this one. */
function installedRuntime(): string {
  try {
    return fileURLToPath(import.meta.resolve("rightseat/bin"));
  } catch (cause) {
    throw new Error(
      "there is no runtime to start: install the package rightseat, set COPILOT_CLI_PATH, give a path to RuntimeConnection.forStdio(), or connect to a server with RuntimeConnection.forUri()",
      { cause },
    );
  }
}

function flagsOf(
  connection: StdioRuntimeConnection | TcpRuntimeConnection,
  options: CopilotClientOptions,
): string[] {
  const { gitHubToken, sessionIdleTimeoutSeconds = 0 } = options;
  const useLoggedInUser = options.useLoggedInUser ?? gitHubToken === undefined;
  return [
    "--headless",
    "--no-auto-update",
    ...(options.logLevel ? ["--log-level", options.logLevel] : []),
    ...(connection.kind === "stdio" ? ["--stdio"] : []),
    ...(connection.kind === "tcp" && connection.port ? ["--port", String(connection.port)] : []),
    ...(gitHubToken ? ["--auth-token-env", "COPILOT_SDK_AUTH_TOKEN"] : []),
    ...(useLoggedInUser ? [] : ["--no-auto-login"]),
    ...(sessionIdleTimeoutSeconds > 0 ? ["--session-idle-timeout", String(sessionIdleTimeoutSeconds)] : []),
    ...(options.enableRemoteSessions ? ["--remote"] : []),
  ];
}

function environmentOf(
  base: NodeJS.ProcessEnv,
  { gitHubToken, baseDirectory, mode, telemetry }: CopilotClientOptions,
  token: string | undefined,
): NodeJS.ProcessEnv {
  const { NODE_DEBUG: _, ...variables } = base;
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) variables[name] = value;
  };
  set("COPILOT_SDK_AUTH_TOKEN", gitHubToken);
  set("COPILOT_CONNECTION_TOKEN", token);
  set("COPILOT_HOME", baseDirectory);
  // What the machine's keychain holds is shared by all sessions.
  set("COPILOT_DISABLE_KEYTAR", mode === "empty" ? "1" : undefined);
  if (!telemetry) return variables;
  const { otlpEndpoint, otlpProtocol, filePath, exporterType, sourceName, captureContent } = telemetry;
  set("COPILOT_OTEL_ENABLED", "true");
  set("OTEL_EXPORTER_OTLP_ENDPOINT", otlpEndpoint);
  set("OTEL_EXPORTER_OTLP_PROTOCOL", otlpProtocol);
  set("COPILOT_OTEL_FILE_EXPORTER_PATH", filePath);
  set("COPILOT_OTEL_EXPORTER_TYPE", exporterType);
  set("COPILOT_OTEL_SOURCE_NAME", sourceName);
  set("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", captureContent?.toString());
  return variables;
}
