/** Real servers for tests: in this process, or as the command in one of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Announcements } from "../../src/announcements/announcements.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Logger } from "../../src/config/logger.ts";
import type { Audit } from "../../src/rpc/audit.ts";
import { createServer, type ServerPace } from "../../src/server.ts";
import type { Store } from "../../src/store/store.ts";
import { type StoreKind, storeFor } from "./stores.ts";
import { connectTcp, type WireClient } from "./wire-client.ts";

export interface TempHome extends AsyncDisposable {
  readonly path: string;
  /** A directory for sessions to work in: the home itself is the server's own. */
  readonly work: string;
}

export async function tempHome(): Promise<TempHome> {
  const base = await mkdtemp(join(tmpdir(), "rightseat-test-"));
  const [path, work] = [join(base, "home"), join(base, "work")];
  await Promise.all([path, work].map((folder) => mkdir(folder)));
  return { path, work, [Symbol.asyncDispose]: () => rm(base, { recursive: true, force: true }) };
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** The port for operators, where the flags ask for one. */
  readonly httpPort: number | undefined;
  readonly log: readonly LogLine[];
  readonly announcements: Announcements;
  /** Resolves when the server has loaded what the first session needs. */
  warmedUp(): Promise<void>;
  connect(): Promise<WireClient>;
  /** Reads the settings again, as SIGHUP does. */
  reload(): void;
  shutdown(): Promise<void>;
}

/** Node's word for listeners that pile up. */
const LEAK = "MaxListenersExceededWarning";
const leaks: Error[] = [];
process.on("warning", (warning) => {
  if (warning.name === LEAK) leaks.push(warning);
});

/** A server in this process, with its real settings, store and sockets. */
export async function startServer(
  home: string,
  options: {
    flags?: string[];
    env?: Record<string, string>;
    /** One of the test's own. */
    store?: Store;
    /** For a test that is about files; default what `STORE` says. */
    storeKind?: StoreKind;
    pace?: ServerPace;
    audit?: Audit;
  } = {},
): Promise<TestServer> {
  const read = () => {
    const invocation = loadConfig(["--headless", "--shutdown-grace", "1", ...(options.flags ?? [])], {
      COPILOT_HOME: home,
      ...options.env,
    });
    if (invocation.kind !== "serve") throw new Error("expected settings to serve with");
    return invocation.config;
  };
  const config = read();
  const log: LogLine[] = [];
  const at =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}) =>
      log.push({ level, message, fields });
  const logger: Logger = {
    error: at("error"),
    warning: at("warning"),
    info: at("info"),
    debug: at("debug"),
  };
  const server = createServer(config, logger, "0.0.0-test", {
    ...options,
    store: options.store ?? storeFor(home, options.storeKind),
  });
  const port = await server.listen();
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await server.shutdown();
    const [leak] = leaks;
    if (leak) throw new Error("the server leaks", { cause: leak });
  };
  const shutdown = () => (stopped ??= stop());
  return {
    port,
    httpPort: server.httpPort,
    log,
    announcements: server.announcements,
    warmedUp: () => server.warmedUp,
    connect: () => connectTcp(port),
    reload: () => server.reload(read()),
    shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}

export const COMMAND = fileURLToPath(new URL("../../bin/rightseat.js", import.meta.url));

export interface ServerProcess {
  readonly child: ChildProcess;
  readonly port: number;
  readonly output: () => string;
  connect(): Promise<WireClient>;
  /** Sends the signal; resolves with the exit code, or the signal's name. */
  kill(signal: NodeJS.Signals): Promise<number | string>;
}

/** The built command in a process of its own; resolves when it listens. */
export async function spawnServer(
  home: string,
  flags: readonly string[] = [],
  env: Record<string, string> = {},
  { openFiles }: { openFiles?: number } = {},
): Promise<ServerProcess> {
  const line = [process.execPath, COMMAND, "--headless", ...flags];
  const limit = openFiles === undefined ? "" : `ulimit -n ${openFiles};`;
  const child = spawn("/bin/sh", ["-c", `${limit} exec "$@"`, "sh", ...line], {
    env: { PATH: process.env.PATH, HOME: home, COPILOT_HOME: home, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const exited = new Promise<number | string>((resolve, reject) =>
    child.once("exit", (code, signal) => {
      if (output.includes(LEAK)) reject(new Error(`the server leaks: ${output}`));
      resolve(code ?? signal ?? "unknown");
    }),
  );
  const port = await new Promise<number>((resolve, reject) => {
    const collect = (chunk: Buffer) => {
      output += chunk;
      const match = /listening on port (\d+)/.exec(output);
      if (match) resolve(Number(match[1]));
    };
    child.stdout?.on("data", collect);
    child.stderr?.on("data", collect);
    exited.then(
      (code) => reject(new Error(`the server ended with ${code} before it listened: ${output}`)),
      reject,
    );
  });
  return {
    child,
    port,
    output: () => output,
    connect: () => connectTcp(port),
    kill: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
}
