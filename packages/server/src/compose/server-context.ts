/** Every subsystem is given this: the settings, where to write log lines, and where to announce what happens. */
import { Announcements } from "../announcements/announcements.ts";
import type { AttemptDelays } from "../auth/failed-attempts.ts";
import type { Config } from "../config/load-config.ts";
import type { Logger } from "../config/logger.ts";
import { InstrumentRelay } from "../metrics/instruments.ts";
import type { LostLines } from "../metrics/prometheus.ts";
import type { Audit } from "../rpc/audit.ts";
import type { Store } from "../store/store.ts";
import { SeldomLines } from "../strangers/seldom-lines.ts";

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
  readonly store?: Store;
  /** Told who did what; default nobody. */
  readonly audit?: Audit;
  /** Why calls that have to be audited are refused now; undefined while they are not. */
  readonly auditRefusal?: () => string | undefined;
  /** Lines of the logs that are missing since the start. */
  readonly lostLines?: () => LostLines;
  readonly pace?: ServerPace;
}

export interface ServerContext extends Omit<ServerParts, "store"> {
  readonly config: Config;
  readonly version: string;
  readonly pace: ServerPace;
  /** Where sessions work that were given no directory. */
  readonly defaultWorkingDirectory: string;
  readonly logger: Logger;
  /** For lines that would otherwise come too often. */
  readonly seldomLines: SeldomLines;
  readonly announcements: Announcements;
  readonly instruments: InstrumentRelay;
}

export function createContext(
  config: Config,
  logger: Logger,
  version: string,
  { audit, auditRefusal, lostLines, pace = {} }: ServerParts,
): ServerContext {
  return {
    config,
    version,
    audit,
    auditRefusal,
    lostLines,
    pace,
    defaultWorkingDirectory: process.cwd(),
    logger,
    seldomLines: new SeldomLines((message, fields) => logger.warning(message, fields)),
    announcements: new Announcements((error, kind) =>
      logger.error("a listener to announcements failed", { kind, error }),
    ),
    instruments: new InstrumentRelay(),
  };
}
