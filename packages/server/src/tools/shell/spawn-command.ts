/** Starts a bash command in a process group of its own, which ends with the server. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Readable, Writable } from "node:stream";
import { watchGroup } from "../group-watchdog.ts";

/**
 * The command comes through descriptor 3, ended by NUL: it is not in the process list, has no limit of
 * length, and does not run unless all of it came. Nothing is started before the first NUL, by when the watchdog knows
 * the group and its priority is set; everything else is started before the command comes, so that a bash which waits for
 * its command (`SpareBash`) runs it at once. Output goes
 * through `cat`, since Node's own pipes are sockets, which programs cannot open as /dev/stderr. `cat`
 * outlives a SIGTERM to pass on what the command says last.
 */
const SCRIPT = `
IFS= read -r -d '' _go <&3 || exit 125
{
  IFS= read -r -d '' _command <&3 || exit 125
  exec 3<&-
  SECONDS=0
  ( set --; eval "$_command" )
  printf '\\0%s %d\\0' "$1" "$?"
} 2>&1 | { exec 3<&-; trap '' HUP INT TERM; exec cat; }
exit "\${PIPESTATUS[0]}"
`;

/** With a socket for its input, bash takes itself for a remote shell, and would read its startup files. */
const BASH_OPTIONS = ["--norc", "--noprofile", "-c"];

export interface BashOptions {
  readonly cwd: string;
  readonly env: Record<string, string>;
  /** Whether it gets a pipe to read from; otherwise its input is empty. */
  readonly input: boolean;
}

export interface SpawnedCommand {
  readonly child: ChildProcess;
  /** Also the id of the group. */
  readonly pid: number;
  readonly output: Readable;
  readonly input: Writable | undefined;
  /** The word of the marker that ends the output. */
  readonly token: string;
}

/** A bash that waits for its command. @throws as `spawnCommand`. */
export interface WaitingBash extends SpawnedCommand {
  /** Once. */
  run(command: string): void;
}

/** @throws when bash cannot be started: not installed, no such directory, no processes left. */
export async function spawnCommand(options: BashOptions, command: string): Promise<SpawnedCommand> {
  const bash = await spawnBash(options);
  bash.run(command);
  return bash;
}

/** @throws as `spawnCommand`. */
export async function spawnBash(options: BashOptions): Promise<WaitingBash> {
  const token = randomBytes(12).toString("hex");
  const child = spawn("bash", [...BASH_OPTIONS, SCRIPT, "bash", token], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: [options.input ? "pipe" : "ignore", "pipe", "ignore", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw await startError(child, options.cwd);
  child.on("error", () => {});
  watchGroup(pid);
  const commandPipe = child.stdio[3] as Writable;
  // It may be dead already; how it ended says why.
  commandPipe.on("error", () => {});
  commandPipe.write("\0");
  child.stdin?.on("error", () => {});
  return {
    child,
    pid,
    output: child.stdout as Readable,
    input: child.stdin ?? undefined,
    token,
    run: (command) => commandPipe.end(`${command}\0`),
  };
}

function startError(child: ChildProcess, cwd: string): Promise<Error> {
  return new Promise((resolve) => {
    child.once("error", (cause) => {
      resolve(new Error(`bash could not be started in ${cwd}: ${cause.message}`, { cause }));
    });
  });
}
