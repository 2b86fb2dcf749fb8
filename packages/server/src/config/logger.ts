/** The server's log: structured lines on standard error, and in a file where one is wanted. */
import { mkdirSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type pino from "pino";

export interface Logger {
  error(message: string, fields?: Record<string, unknown>): void;
  warning(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  debug(message: string, fields?: Record<string, unknown>): void;
  /** Writes out what is held. */
  flush(): void;
}

export type LogLevel = "none" | "error" | "warning" | "info" | "debug" | "all";

const LEVELS: Record<LogLevel, number> = { none: 0, error: 1, warning: 2, info: 3, debug: 4, all: 5 };

/** The logging library is loaded with the first line that is written: most runs of a command write none. */
export function createLogger(level: LogLevel, directory: string | undefined): Logger {
  const enabled = LEVELS[level];
  let target: pino.Logger | undefined;
  const get = () => (target ??= openPino(directory));
  const at =
    (needed: number, name: "error" | "warn" | "info" | "debug") =>
    (message: string, fields: Record<string, unknown> = {}) => {
      if (enabled < needed) return;
      const { error, ...rest } = fields;
      get()[name](error === undefined ? rest : { ...rest, err: error }, message);
    };
  return {
    error: at(1, "error"),
    warning: at(2, "warn"),
    info: at(3, "info"),
    debug: at(4, "debug"),
    flush: () => target?.flush(),
  };
}

function openPino(directory: string | undefined): pino.Logger {
  const load = createRequire(import.meta.url)("pino") as typeof pino;
  const streams: pino.StreamEntry[] = [{ level: "trace", stream: load.destination({ dest: 2, sync: true }) }];
  if (directory !== undefined) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = join(directory, `rightseat-${new Date().toISOString().slice(0, 10)}-${process.pid}.log`);
    streams.push({
      level: "trace",
      stream: load.destination({ dest: openSync(file, "a", 0o600), sync: true }),
    });
  }
  return load(
    { level: "trace", base: null, timestamp: load.stdTimeFunctions.isoTime },
    load.multistream(streams),
  );
}

/**
 * A file of entries, one JSON object a line, for whoever has to know later who did what. Appended to,
 * never emptied; readable by the server's user alone.
 * @throws the system's error when the file cannot be opened.
 */
export function openAuditLog(path: string): { write(entry: object): void; close(): void } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const descriptor = openSync(path, "a", 0o600);
  const load = createRequire(import.meta.url)("pino") as typeof pino;
  const destination = load.destination({ dest: descriptor, sync: false, minLength: 0 });
  const log = load({ base: null, timestamp: load.stdTimeFunctions.isoTime }, destination);
  return {
    write: (entry) => log.info(entry),
    close: () => destination.flushSync(),
  };
}
