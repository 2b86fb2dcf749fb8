/** The command: reads its settings, serves until it is told to end, and ends in order. */
import { Duplex } from "node:stream";
import { ConfigError } from "./config/config-error.ts";
import { type Config, helpText, loadConfig } from "./config/load-config.ts";
import { createLogger, type Logger } from "./config/logger.ts";
import { createServer, type RightseatServer } from "./server.ts";

/** @returns the exit code. */
export async function main(argv: readonly string[], version: string): Promise<number> {
  let invocation: ReturnType<typeof loadConfig>;
  try {
    invocation = loadConfig(argv, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`rightseat: ${error.message}\n`);
    return 2;
  }
  if (invocation.kind === "help") {
    process.stdout.write(helpText());
    return 0;
  }
  if (invocation.kind === "version") {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const { config } = invocation;
  const logger = createLogger(config.logLevel, config.logDir);
  const server = createServer(config, logger, version);
  return config.stdio ? serveStdio(server, logger) : serveTcp(server, config, logger);
}

async function serveTcp(server: RightseatServer, config: Config, logger: Logger): Promise<number> {
  // Before anybody is told that it runs: who starts it may end it at once.
  const ended = endSignal(logger);
  let port: number;
  try {
    port = await server.listen();
  } catch (error) {
    process.stderr.write(`rightseat: ${listenProblem(error as NodeJS.ErrnoException, config)}\n`);
    return 1;
  }
  // Both lines: people read the first, SDKs that start the server wait for the second.
  process.stdout.write(`Listening on http://${config.host}:${port}\nCLI server listening on port ${port}\n`);
  warnIfOpen(config, logger);
  await Promise.race([ended, server.shutdownRequested]);
  await server.shutdown();
  return 0;
}

async function serveStdio(server: RightseatServer, logger: Logger): Promise<number> {
  const stream = Duplex.from({ readable: process.stdin, writable: process.stdout });
  const gone = new Promise<void>((resolve) => {
    process.stdin.once("end", resolve);
    process.stdin.once("close", resolve);
  });
  server.accept(stream);
  await Promise.race([endSignal(logger), gone, server.shutdownRequested]);
  await server.shutdown();
  return 0;
}

function endSignal(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        logger.info("ending: running turns are given their grace", { signal });
        resolve();
      });
    }
  });
}

function listenProblem(error: NodeJS.ErrnoException, config: Config): string {
  const where = `${config.host}:${config.port}`;
  switch (error.code) {
    case "EADDRINUSE":
      return `port ${config.port} is in use on ${config.host}; choose another with --port, or 0 for a free one`;
    case "EACCES":
      return `not allowed to listen on ${where}; ports below 1024 need privileges`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `--host: ${config.host} is not an address of this machine`;
    default:
      return `cannot listen on ${where}: ${error.message}`;
  }
}

function warnIfOpen(config: Config, logger: Logger): void {
  if (config.connectionToken !== undefined) return;
  const local = config.host === "localhost" || config.host === "127.0.0.1" || config.host === "::1";
  if (local) {
    logger.warning(
      "no connection token is set: every program on this machine may use the server; set COPILOT_CONNECTION_TOKEN",
    );
  } else {
    logger.warning(
      `no connection token is set and the server listens on ${config.host}: ANYBODY WHO CAN REACH IT MAY USE IT; set COPILOT_CONNECTION_TOKEN`,
    );
  }
}
