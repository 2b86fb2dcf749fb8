/** What clients see of a session's shells that went on in the background. */
import { setTimeout as sleep } from "node:timers/promises";
import { cutText, RpcError } from "@rightseat/protocol";
import type { BuiltInSession } from "../built-in-tool.ts";
import type { ShellOutput, ShellTask, ShellTasks } from "../shell-task.ts";
import type { OutputTail } from "./output-tail.ts";
import type { Shell } from "./shell.ts";
import { Shells } from "./shells.ts";

const MAX_READ_CHARS = 64 * 1024;
const MAX_READ_BYTES = 64 * 1024;
const RECENT_CHARS = 4096;

export function shellTasksOf(session: BuiltInSession): ShellTasks {
  const shells = session.resource(Shells);
  const toTasks = (found: readonly (Shell | undefined)[]) =>
    found.flatMap((shell) => (shell?.tail && shell.isInBackground ? [toTask(shell, shell.tail)] : []));
  return {
    list: () => toTasks(shells.all()),
    find: (id) => toTasks([shells.get(id)])[0],
  };
}

function toTask(shell: Shell, tail: OutputTail): ShellTask {
  const { id, command, description } = shell.info;
  return {
    id,
    command,
    description,
    startedAt: new Date(shell.startedAtMs).toISOString(),
    completedAt: shell.finishedAtMs === undefined ? undefined : new Date(shell.finishedAtMs).toISOString(),
    status: statusOf(shell),
    exitCode: shell.exitCode,
    pid: shell.pid,
    recentOutput: tail.last(RECENT_CHARS),
    read: (cursor, waitMs, signal) => read(shell, tail, { cursor, waitMs, signal }),
    cancel: async () => {
      if (!shell.hasProcesses) return false;
      await shell.end();
      return true;
    },
  };
}

function statusOf({ exitCode, wasEnded }: Shell): ShellTask["status"] {
  if (wasEnded) return "cancelled";
  if (exitCode === undefined) return "running";
  return exitCode === 0 ? "completed" : "failed";
}

interface Reading {
  readonly cursor: string | undefined;
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

async function read(
  shell: Shell,
  tail: OutputTail,
  { cursor, waitMs, signal }: Reading,
): Promise<ShellOutput> {
  const position = cursor === undefined ? tail.start : positionOf(shell, cursor);
  const rest = textFrom(tail, position);
  if (rest === "" && shell.exitCode === undefined && waitMs > 0) {
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    await Promise.race([tail.changed(), sleep(waitMs, undefined, { signal: either }).catch(() => {})]);
    stop.abort();
    signal.throwIfAborted();
  }
  const found = textFrom(tail, position);
  const text = firstPart(found);
  return {
    text,
    cursor: `${shell.startedAtMs}.${position + text.length}`,
    isLast: shell.exitCode !== undefined && text.length === found.length,
  };
}

/** When several shells had one id, the cursor knows which one it is about. */
function positionOf(shell: Shell, cursor: string): number {
  const [, startedAtMs, position] = /^(\d+)\.(\d+)$/.exec(cursor) ?? [];
  if (Number(startedAtMs) !== shell.startedAtMs)
    throw outOfReach("expected a cursor of an earlier read of this task");
  return Number(position);
}

function textFrom(tail: OutputTail, position: number): string {
  const text = tail.from(position);
  if (text === undefined)
    throw outOfReach("the output that it stands for is not kept any more; read without a cursor");
  return text;
}

/** Whole lines where there are any, and whole characters. */
function firstPart(text: string): string {
  let part = cutText(text, MAX_READ_CHARS);
  while (Buffer.byteLength(part) > MAX_READ_BYTES) part = cutText(part, Math.floor(part.length * 0.75));
  if (part.length === text.length) return part;
  const lineEnd = part.lastIndexOf("\n");
  return lineEnd < 0 ? part : part.slice(0, lineEnd + 1);
}

function outOfReach(problem: string): RpcError {
  return new RpcError("invalid_params", `cursor: ${problem}`, { path: "cursor" });
}
