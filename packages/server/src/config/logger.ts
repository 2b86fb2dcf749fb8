/** The server's log: structured lines on standard error, and in a file where one is wanted. */
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type pino from "pino";
import { LineLimit } from "../logs/line-limit.ts";
import { FileTarget, type LineTarget, standardError } from "../logs/line-target.ts";
import { LineWriter } from "../logs/line-writer.ts";

/** A constant message; what differs is in the fields. Nothing here waits or throws, whatever becomes of the lines. */
export interface Logger {
  error(message: string, fields?: Record<string, unknown>): void;
  warning(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  debug(message: string, fields?: Record<string, unknown>): void;
}

/** The log of a process, for who begins and ends it. */
export interface ProcessLogger extends Logger {
  /** Lines that were lost, since nothing took them. */
  readonly lost: number;
  /** Opens the file anew. */
  reopen(): void;
  /** Writes out what is held, if that goes soon. @returns whether the process can end in order. */
  close(): Promise<boolean>;
}

export type LogLevel = "none" | "error" | "warning" | "info" | "debug" | "all";

const LEVELS: Record<LogLevel, number> = { none: 0, error: 1, warning: 2, info: 3, debug: 4, all: 5 };
/** How much may wait for each target. */
const MAX_WAITING_CHARACTERS = 1024 * 1024;
/** What is held has this long to be written when the process ends. */
const CLOSE_MS = 500;
/** How often it is looked whether a log file was moved away. */
const LOOK_EVERY_MS = 1_000;

/**
 * The logging library is loaded with the first line that is written: most runs of a command write none.
 * @throws the system's error when the directory cannot be made.
 */
export function createLogger(level: LogLevel, directory: string | undefined): ProcessLogger {
  const enabled = LEVELS[level];
  if (directory !== undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
  let opened: { readonly log: pino.Logger; readonly writers: readonly LineWriter[] } | undefined;
  const get = () => (opened ??= open(directory));
  const limit = new LineLimit({
    onLeftOut: (message, lines) => get().log.warn({ of: message, lines }, "lines of one kind were left out"),
  });
  const at =
    (needed: number, name: "error" | "warn" | "info" | "debug") =>
    (message: string, fields: Record<string, unknown> = {}) => {
      if (enabled < needed || (name !== "debug" && !limit.admits(message))) return;
      const { error, ...rest } = fields;
      get().log[name](error === undefined ? rest : { ...rest, err: error }, message);
    };
  return {
    error: at(1, "error"),
    warning: at(2, "warn"),
    info: at(3, "info"),
    debug: at(4, "debug"),
    get lost() {
      return (opened?.writers ?? []).reduce((sum, { lost }) => sum + lost, 0);
    },
    reopen: () => {
      for (const writer of opened?.writers ?? []) writer.reopen();
    },
    close: async () => {
      limit.flush();
      const closed = await Promise.all((opened?.writers ?? []).map((writer) => writer.close(CLOSE_MS)));
      return closed.every((inOrder) => inOrder);
    },
  };
}

function open(directory: string | undefined): { log: pino.Logger; writers: LineWriter[] } {
  const load = createRequire(import.meta.url)("pino") as typeof pino;
  const writers: LineWriter[] = [];
  const log = load(
    { level: "trace", base: null, timestamp: load.stdTimeFunctions.isoTime },
    {
      write: (line: string) => {
        for (const writer of writers) writer.write(line);
      },
    },
  );
  const add = (target: LineTarget, name: string) => {
    const writer: LineWriter = new LineWriter({
      target,
      maxWaitingCharacters: MAX_WAITING_CHARACTERS,
      describeLost: ({ lines, why }) => lostLine(lines, why),
      // The other one may still take it.
      onTrouble: (why) =>
        log.warn({ target: name, why }, "the log cannot be written; lines wait and may be lost"),
    });
    writers.push(writer);
  };
  add(standardError(), "standard error");
  if (directory !== undefined) {
    const path = join(directory, `rightseat-${new Date().toISOString().slice(0, 10)}-${process.pid}.log`);
    add(new FileTarget({ path, lookEveryMs: LOOK_EVERY_MS }), path);
  }
  return { log, writers };
}

/** As the library writes a warning: 40 is its number. */
function lostLine(lines: number, why: string): string {
  const time = new Date().toISOString();
  return `${JSON.stringify({ level: 40, time, lines, why, msg: "lines of the log were lost" })}\n`;
}
