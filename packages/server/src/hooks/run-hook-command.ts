/**
 * Runs the command of a hook in a process group of its own: the input goes in as JSON, what it prints comes
 * out. The whole group ends with the command, with its time, and with the server.
 */

import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { cutText } from "@rightseat/protocol";
import { forgetGroup, watchGroup } from "../tools/group-watchdog.ts";
import { endGroup } from "../tools/process-group.ts";

export interface HookCommand {
  /** For bash; or a program and its arguments. */
  readonly command: string | { readonly program: string; readonly args: readonly string[] };
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Told of each whole line; true when it was not meant for the output. */
  readonly onLine: (line: string) => boolean;
}

export interface HookCommandEnd {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_STDOUT = 1024 * 1024;
const MAX_STDERR = 16 * 1024;
/** One that prints more, kept or not, is ended: reading it would keep the server from everybody else. */
const MAX_PRINTED = 2 * 1024 * 1024;
/** What still holds the output once the command has ended is not waited for longer. */
const CLOSE_GRACE_MS = 300;

/**
 * The command comes through descriptor 3: it does not run before the watchdog knows its group, and is in
 * no list of processes. Its status goes out through 4, since what it leaves behind may hold its output.
 * Node's own pipes are sockets, which programs cannot open as /dev/stdin or /dev/stderr: everything goes
 * through `cat`, which outlives a SIGTERM to pass on what is said last.
 */
const SCRIPT = `IFS= read -r -d '' _command <&3 || exit 125
exec 3<&-
_run() { if [ "$#" -gt 0 ]; then exec "$@"; fi; eval "$_command"; }
_pass() { trap '' HUP INT TERM; exec cat; }
{ { cat || :; } 2>/dev/null 4>&- 7>&- | { ( _run "$@" ) 4>&- 7>&-; echo "$?" >&4; } 2>&1 1>&7 | _pass >&2 4>&- 7>&-; } 7>&1 | _pass 4>&-`;
/** With a socket for its input, bash takes itself for a remote shell, and would read its startup files. */
const BASH_OPTIONS = ["--norc", "--noprofile", "-c"];

/** @throws when bash cannot be started, and the signal's reason when it aborts. */
export async function runHookCommand(options: HookCommand): Promise<HookCommandEnd> {
  const { command, signal } = options;
  signal.throwIfAborted();
  const isShell = typeof command === "string";
  const args = isShell ? [] : [command.program, ...command.args];
  const child = spawn("bash", [...BASH_OPTIONS, SCRIPT, "bash", ...args], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw await startError(child, options.cwd);
  child.on("error", () => undefined);
  watchGroup(pid);
  const status = readStatus(child.stdio[4] as Readable);
  const stdout = collectLines(child.stdout as Readable, options.onLine);
  const stderr = collect(child.stderr as Readable, MAX_STDERR);
  send(child.stdio[3] as Writable, `${isShell ? command : ""}\0`);
  send(child.stdin as Writable, options.input);
  let timedOut = false;
  let tooMuch = false;
  limit([child.stdout as Readable, child.stderr as Readable], () => {
    tooMuch = true;
    void endGroup(pid);
  });
  const timer = setTimeout(() => {
    timedOut = true;
    void endGroup(pid);
  }, options.timeoutMs);
  const onAbort = () => void endGroup(pid);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const exitCode = await status;
    await closed(child);
    // What it left behind ends with it.
    await endGroup(pid);
    await closed(child);
    for (const stream of [child.stdout, child.stderr]) stream?.destroy();
    if (signal.aborted && !timedOut) throw signal.reason;
    if (tooMuch) throw new Error(`it printed more than ${MAX_PRINTED} bytes`);
    return { exitCode, timedOut, stdout: stdout(), stderr: stderr() };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    forgetGroup(pid);
  }
}

/** Undefined when there is none any more: a signal ended who was to tell it. */
function readStatus(stream: Readable): Promise<number | undefined> {
  return new Promise((resolve) => {
    stream.on("data", (text: Buffer) => resolve(toExitCode(Number(text.toString("latin1")))));
    stream.on("error", () => undefined);
    stream.once("close", () => resolve(undefined));
  });
}

/** Shells tell of a signal by a code above 128. */
function toExitCode(status: number): number | undefined {
  return status > 128 ? undefined : status;
}

/** A command that does not read what it is told is none of our business. */
function send(pipe: Writable, text: string): void {
  pipe.on("error", () => undefined);
  pipe.end(text);
}

/** @param onTooMuch called once, when more has been read of them than a hook may print. Nothing more is read then. */
function limit(streams: readonly Readable[], onTooMuch: () => void): void {
  let left = MAX_PRINTED;
  // Before anything is made of it.
  for (const stream of streams)
    stream.prependListener("data", (piece: Buffer | string) => {
      const had = left;
      left -= piece.length;
      if (had >= 0 && left < 0) onTooMuch();
      if (left < 0) for (const each of streams) each.destroy();
    });
}

function collect(stream: Readable, maxBytes: number): () => string {
  const pieces: Buffer[] = [];
  let room = maxBytes;
  stream.on("data", (piece: Buffer) => {
    if (room <= 0) return;
    pieces.push(piece.subarray(0, room));
    room -= piece.length;
  });
  stream.on("error", () => undefined);
  return () => Buffer.concat(pieces).toString("utf8");
}

/** Shows each line as it comes, and keeps those that are output. */
function collectLines(stream: Readable, isConsumed: (line: string) => boolean): () => string {
  let kept = "";
  let partial = "";
  const keep = (line: string) => {
    if (!isConsumed(line) && kept.length < MAX_STDOUT) kept += cutText(line, MAX_STDOUT - kept.length);
  };
  stream.setEncoding("utf8");
  stream.on("data", (piece: string) => {
    const lines = (partial + piece).split("\n");
    partial = cutText(lines.pop() ?? "", MAX_STDOUT);
    for (const line of lines) keep(`${line}\n`);
  });
  stream.on("error", () => undefined);
  return () => {
    if (partial !== "") keep(partial);
    partial = "";
    return kept;
  };
}

/** Waits for the end of what it says, but not for long. */
async function closed(child: ChildProcess): Promise<void> {
  if (child.stdout?.closed && child.stderr?.closed) return;
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    new Promise((resolve) => child.once("close", resolve)),
    new Promise((resolve) => {
      timer = setTimeout(resolve, CLOSE_GRACE_MS);
    }),
  ]);
  clearTimeout(timer);
}

function startError(child: ChildProcess, cwd: string): Promise<Error> {
  return new Promise((resolve) => {
    child.once("error", (cause) => {
      resolve(new Error(`bash could not be started in ${cwd}: ${cause.message}`, { cause }));
    });
  });
}
