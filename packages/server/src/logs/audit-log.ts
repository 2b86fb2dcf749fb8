/**
 * A file of entries, one JSON object a line, for whoever has to know later who did what. Appended to, never
 * emptied; readable by the server's user alone. Entries that the file does not take wait in memory, and are
 * written when it does again.
 */
import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { FileTarget, namedPipe } from "./line-target.ts";
import { LineWriter } from "./line-writer.ts";

/**
 * What becomes of calls that have to be audited while the file takes nothing: `refuse` them, or `continue`
 * and count what is missing in the end.
 */
export type AuditFailure = "refuse" | "continue";

export interface AuditLogOptions {
  readonly path: string;
  readonly onFailure: AuditFailure;
  /** The file takes nothing any more; told once, until it does again. */
  readonly onTrouble: (why: string) => void;
  /** See `LineWriter`. */
  readonly retryMs?: number;
  /** How much may wait before entries are lost. */
  readonly maxWaitingCharacters?: number;
}

export interface AuditLog {
  write(entry: object): void;
  /** Why calls that have to be audited are refused now; undefined while they are not. */
  readonly refusal: string | undefined;
  /** Entries that are missing. */
  readonly lost: number;
  /** Opens the file anew. */
  reopen(): void;
  /** @returns whether the process can end in order. */
  close(): Promise<boolean>;
}

/** A file that takes nothing for so long is one that fails. */
const GRACE_MS = 2_000;
const CLOSE_MS = 2_000;
const MAX_WAITING_CHARACTERS = { refuse: 64 * 1024 * 1024, continue: 1024 * 1024 };

/** @throws the system's error when the file cannot be opened. */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  const { path, onFailure } = options;
  const writer = new LineWriter({
    target: isNamedPipe(path) ? namedPipe(path) : openedFile(path),
    maxWaitingCharacters: options.maxWaitingCharacters ?? MAX_WAITING_CHARACTERS[onFailure],
    describeLost: ({ lines, why }) => toLine({ missing: lines, why }),
    onTrouble: options.onTrouble,
    retryMs: options.retryMs,
  });
  return {
    write: (entry) => writer.write(toLine(entry)),
    get refusal() {
      return onFailure === "refuse" ? writer.trouble(GRACE_MS) : undefined;
    },
    get lost() {
      return writer.lost;
    },
    reopen: () => writer.reopen(),
    close: () => writer.close(CLOSE_MS),
  };
}

function openedFile(path: string): FileTarget {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, "a", 0o600));
  return new FileTarget({ path, lookEveryMs: 0 });
}

function isNamedPipe(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
}

/** 30 is the number of the level that says no more than what happened, as in the server's log. */
function toLine(entry: object): string {
  return `${JSON.stringify({ level: 30, time: new Date().toISOString(), ...entry })}\n`;
}
