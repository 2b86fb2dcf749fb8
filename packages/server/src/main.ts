/** The command: reads its settings, serves until it is told to end, and ends in order. */
import { Duplex } from "node:stream";
import { homeProblem } from "./config/check-home.ts";
import { ConfigError } from "./config/config-error.ts";
import { hideEnvironment } from "./config/hide-environment.ts";
import { type Config, helpText, loadConfig } from "./config/load-config.ts";
import { createLogger, type Logger, type ProcessLogger } from "./config/logger.ts";
import { findUnusedVolumes } from "./config/unused-volume.ts";
import { collectWhenIdle } from "./idle-collector.ts";
import { type AuditLog, openAuditLog } from "./logs/audit-log.ts";
import { createServer, type RightseatServer } from "./server.ts";
import { tokenCommand } from "./token-command.ts";

/** Node has no call with which it could wait for processes that are not its own children. */
const AS_PROCESS_ONE =
  "the server is process 1, and processes that commands leave behind stay as zombies: start it under an init (docker run --init, init: true of Compose, tini)";

/** The application that the server is there for is gone: nobody hears its runs, which can be gone on with from their logs. */
const ORPHANED_GRACE_MS = 2_000;

const STORE_HANGS =
  "the store does not answer: the server ends without it; sessions are resumed from what their logs hold";

/** @returns the exit code. */
export async function main(argv: readonly string[], version: string): Promise<number> {
  if (argv[0] === "token") return tokenCommand(argv.slice(1));
  // First of all: who started it may be gone soon.
  const starter = argv.includes("--no-auto-update")
    ? (await import("./starter.ts")).watchStarter()
    : undefined;
  const env = { ...process.env };
  let invocation: ReturnType<typeof loadConfig>;
  try {
    invocation = loadConfig(argv, env);
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
  if (config.requireAuth && isOpen(config) && !config.stdio) {
    process.stderr.write(`rightseat: --require-auth: ${HOW_TO_CLOSE}\n`);
    return 2;
  }
  const problem = homeProblem(config.home);
  if (problem !== undefined) {
    process.stderr.write(`rightseat: ${problem}\n`);
    return 1;
  }
  const logs = openLogs(config);
  if (logs === undefined) return 2;
  const { logger, auditLog } = logs;
  hideSecrets(env, config, logger);
  const server = createServer(config, logger, version, {
    audit: auditLog?.write,
    auditRefusal: auditLog && (() => auditLog.refusal),
    lostLines: () => ({ log: logger.lost, audit: auditLog?.lost ?? 0 }),
  });
  process.on("SIGHUP", () => {
    logger.reopen();
    auditLog?.reopen();
    reload(server, argv, env, logger);
  });
  if (process.pid === 1) logger.warning(AS_PROCESS_ONE);
  collectWhenIdle((figures) => logger.debug("memory was given back", figures));
  const { code, inOrder } = config.stdio
    ? await serveStdio(server, logger)
    : await serveTcp(server, config, logger, starter?.gone);
  if (!inOrder) logger.error(STORE_HANGS);
  const closed = await Promise.all([inOrder, auditLog?.close() ?? true, logger.close()]);
  // The end of a process waits for its threads, and one of them waits for a file that may never take what it has.
  if (closed.includes(false)) process.kill(process.pid, "SIGKILL");
  return code;
}

/** Undefined when one of them cannot be opened, which was told. */
function openLogs(config: Config): { logger: ProcessLogger; auditLog: AuditLog | undefined } | undefined {
  let setting = "--log-dir";
  try {
    const logger = createLogger(config.logLevel, config.logDir);
    setting = "--audit-log";
    const { auditLog: path, auditFailure: onFailure } = config;
    if (path === undefined) return { logger, auditLog: undefined };
    const onTrouble = (why: string) =>
      logger.error("the audit log cannot be written", { path, why, calls: onFailure });
    return { logger, auditLog: openAuditLog({ path, onFailure, onTrouble }) };
  } catch (error) {
    process.stderr.write(`rightseat: ${setting}: ${(error as Error).message}\n`);
    return undefined;
  }
}

interface Ended {
  readonly code: number;
  /** False when threads of the process wait for a disk that does not answer. */
  readonly inOrder: boolean;
}

async function serveTcp(
  server: RightseatServer,
  config: Config,
  logger: Logger,
  starterGone: Promise<void> | undefined,
): Promise<Ended> {
  // Before anybody is told that it runs: who starts it may end it at once.
  const ended = endSignal(logger);
  let port: number;
  try {
    port = await server.listen();
  } catch (error) {
    process.stderr.write(`rightseat: ${listenProblem(error as NodeJS.ErrnoException, config)}\n`);
    return { code: 1, inOrder: true };
  }
  // Both lines: people read the first, SDKs that start the server wait for the second.
  process.stdout.write(`Listening on http://${config.host}:${port}\nCLI server listening on port ${port}\n`);
  if (server.httpPort !== undefined)
    process.stdout.write(
      `Health and metrics on http://${config.httpHost ?? config.host}:${server.httpPort}\n`,
    );
  warnIfOpen(config, logger);
  if (config.allowAll)
    logger.warning("new sessions begin with all permissions allowed: their tools run without a question");
  void findUnusedVolumes(config.home).then((paths) => {
    if (paths.length > 0) logger.warning(UNUSED_VOLUMES, { paths, home: config.home });
  });
  const orphaned = starterGone?.then(() => ORPHANED_GRACE_MS);
  const mostGraceMs = await Promise.race([ended, server.shutdownRequested, orphaned ?? ended]);
  return { code: 0, inOrder: await server.shutdown(mostGraceMs ?? undefined) };
}

async function serveStdio(server: RightseatServer, logger: Logger): Promise<Ended> {
  const stream = Duplex.from({ readable: process.stdin, writable: process.stdout });
  const gone = new Promise<number>((resolve) => {
    for (const event of ["end", "close"]) process.stdin.once(event, () => resolve(ORPHANED_GRACE_MS));
  });
  server.accept(stream);
  const mostGraceMs = await Promise.race([endSignal(logger), gone, server.shutdownRequested]);
  return { code: 0, inOrder: await server.shutdown(mostGraceMs ?? undefined) };
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
      return error.syscall === "open"
        ? `--tls-cert, --tls-key, --tls-ca: ${error.message}`
        : `not allowed to listen on ${where}; ports below 1024 need privileges`;
    case "ENOENT":
      return `--tls-cert, --tls-key, --tls-ca: ${error.message}`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `--host: ${config.host} is not an address of this machine`;
    default:
      return `cannot listen on ${where}: ${error.message}`;
  }
}

const UNUSED_VOLUMES =
  "volumes are mounted where no sessions are looked for or kept: mount them at the home, or name their '.copilot' folder with COPILOT_HOME";

const HOW_TO_CLOSE =
  "expected credentials that clients have to bring: set COPILOT_CONNECTION_TOKEN, or 'auth' in the config file";

function isOpen(config: Config): boolean {
  const { principals, jwt } = config.access;
  return config.connectionToken === undefined && principals.length === 0 && jwt.length === 0;
}

function warnIfOpen(config: Config, logger: Logger): void {
  if (!isOpen(config)) return;
  const local = config.host === "localhost" || config.host === "127.0.0.1" || config.host === "::1";
  if (local) {
    logger.warning(
      "no connection token is set: every program on this machine may use the server; set COPILOT_CONNECTION_TOKEN",
    );
    return;
  }
  const warning = `no connection token is set and the server listens on ${config.host}: ANYBODY WHO CAN REACH IT MAY USE IT`;
  logger.warning(`${warning}; ${HOW_TO_CLOSE}`);
  // Whatever the log level: this is not to be overlooked.
  process.stderr.write(`\n*** rightseat: ${warning}.\n*** ${HOW_TO_CLOSE}.\n\n`);
}

/** Node's own, which it reads while it runs. */
const OF_NODE = /^(?:NODE|UV)_/;

/** What is not for everybody leaves the environment: tools run as the same user, and could read it in /proc. */
function hideSecrets(
  env: Readonly<Record<string, string | undefined>>,
  config: Config,
  logger: Logger,
): void {
  const left = hideEnvironment((name) => OF_NODE.test(name) || config.environment[name] === env[name]);
  if (left.length === 0) return;
  const message =
    "variables of the environment cannot be hidden here: other processes of this user can read them";
  // Elsewhere there is no way, which is no news at each start.
  if (process.platform === "linux") logger.warning(message, { names: left });
  else logger.info(message, { names: left });
}

/** On SIGHUP: reads the settings again, and takes over those that may change while the server runs. */
function reload(
  server: RightseatServer,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  logger: Logger,
): void {
  try {
    const invocation = loadConfig(argv, env);
    if (invocation.kind !== "serve") return;
    server.reload(invocation.config);
    logger.info(
      "the settings were read again: who may connect, limits, the places of tenants and certificates are taken over",
    );
  } catch (error) {
    logger.error("the settings could not be read again; those that were in force stay", { error });
  }
}
