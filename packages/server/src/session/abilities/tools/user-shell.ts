/** Commands that people run in a session: in the background, or as a tool call of their own. */

import { randomUUID } from "node:crypto";
import { constants } from "node:os";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cutText, RpcError, type SessionEventDataMap } from "@rightseat/protocol";
import { showOutput } from "../../../agent/show-output.ts";
import type { UserCommand, UserCommandOptions, UserCommands } from "../../../tools/user-command.ts";
import type { Session } from "../../open/session.ts";
import { doBeside } from "../../open/side-work.ts";
import { Slot } from "../../open/slot.ts";
import type { PermissionServices } from "../permissions/permissions.ts";
import { checkWorkingDirectory, workingDirectoryOf } from "../workspace/working-directory.ts";

export interface UserShellServices {
  /** @throws Error when it cannot be started; RpcError when the tenant has too many running. */
  readonly startCommand: (session: Session, options: UserCommandOptions) => Promise<UserCommand>;
  readonly defaultWorkingDirectory: string;
  readonly placeOf: PermissionServices["placeOf"];
  /** A throw where none was expected. */
  readonly onBug: (error: unknown, session: Session) => void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** 24 days: what a timer can hold. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** The shown output of one command; clients that want more let it write to a file. */
const MAX_SHOWN_CHARACTERS = 1024 * 1024;

const userCommands = new Slot<UserCommands>();

function commandsOf(session: Session): UserCommands {
  return userCommands.ensure(session, () => ({ background: new Map(), requests: new Map() }));
}

export interface BackgroundCommand {
  readonly command: string;
  /** Relative to the session's working directory. */
  readonly cwd?: string;
  /** Milliseconds; default 30,000. */
  readonly timeout?: number;
}

/**
 * Starts a command and resolves with its id. Output is told by ephemeral events (`showOutput`), the end by an
 * ephemeral `tool.execution_complete`; all have the id as their `toolCallId`.
 */
export async function execInBackground(
  services: UserShellServices,
  session: Session,
  options: BackgroundCommand,
): Promise<string> {
  const { background } = commandsOf(session);
  const directory = workingDirectoryOf(services, session);
  const cwd =
    options.cwd === undefined
      ? directory
      : await checkWorkingDirectory(resolve(directory, options.cwd), "cwd", services.placeOf(session));
  const { timeout = DEFAULT_TIMEOUT_MS } = options;
  // Zero is no limit; a timer of more than the longest would end at once.
  const timeoutMs = timeout === 0 ? LONGEST_TIMER_MS : Math.min(timeout, LONGEST_TIMER_MS);
  const id = randomUUID();
  const command = await start(services, session, {
    id,
    command: options.command,
    cwd,
    onOutput: shownOutput(session, id),
  });
  background.set(id, command);
  doBeside(session, new AbortController(), async (signal) => {
    const exitCode = await finishedWithin(command, timeoutMs, signal);
    await command.takeOutput();
    // What it leaves running ends with the session.
    background.delete(id);
    session.emit("tool.execution_complete", {
      toolCallId: id,
      isUserRequested: true,
      success: exitCode === 0,
      shellExecution: { exitCode },
      result: { content: "" },
    });
  }).catch((error) => services.onBug(error, session));
  return id;
}

/** False when there is no such command, or it has finished. */
export function signalBackground(
  session: Session,
  id: string,
  signal: "SIGTERM" | "SIGKILL" | "SIGINT",
): boolean {
  return userCommands.of(session)?.background.get(id)?.signal(signal) ?? false;
}

export interface ToolCallResult {
  readonly toolCallId: string;
  readonly success: boolean;
  readonly output: string;
  readonly exitCode?: number;
  readonly error?: string;
}

/**
 * Runs a command to its end and keeps it in the session's history, as a call that a person asked for.
 * The model is not told of it.
 * @throws RpcError `limit_exceeded` when the tenant has too many commands running; that is kept as well.
 */
export async function runAsToolCall(
  services: UserShellServices,
  session: Session,
  { requestId, command }: { readonly requestId: string; readonly command: string },
): Promise<ToolCallResult> {
  const { requests } = commandsOf(session);
  if (requests.has(requestId)) {
    throw new RpcError(
      "invalid_params",
      `requestId: expected an id that no running command has, got '${requestId}'`,
      { path: "requestId" },
    );
  }
  const controller = new AbortController();
  requests.set(requestId, controller);
  const toolCallId = randomUUID();
  try {
    return await doBeside(session, controller, async (signal) => {
      session.append("tool.user_requested", { toolCallId, toolName: "bash", arguments: { command } });
      await session.committed();
      const { refusal, ...result } = await runCommand(services, session, { toolCallId, command, signal });
      await session.wake();
      session.append("tool.execution_complete", toCompletion(result));
      await session.committed();
      if (refusal?.reason === "limit_exceeded") throw refusal;
      return result;
    });
  } finally {
    requests.delete(requestId);
  }
}

/** False when no command runs under the id. */
export function cancelToolCall(session: Session, requestId: string): boolean {
  const controller = userCommands.of(session)?.requests.get(requestId);
  controller?.abort();
  return controller !== undefined;
}

async function runCommand(
  services: UserShellServices,
  session: Session,
  { toolCallId, command, signal }: { toolCallId: string; command: string; signal: AbortSignal },
): Promise<ToolCallResult & { readonly refusal?: RpcError }> {
  const failed = (error: string, output = "") => ({ toolCallId, success: false, output, error });
  let running: UserCommand;
  try {
    running = await start(services, session, {
      id: toolCallId,
      command,
      cwd: workingDirectoryOf(services, session),
      onOutput: shownOutput(session, toolCallId),
    });
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return { ...failed(error.message), refusal: error };
  }
  const exitCode = await finishedWithin(running, LONGEST_TIMER_MS, signal);
  const { text: output } = await running.takeOutput();
  if (signal.aborted) return failed("The command was cancelled.", output);
  if (exitCode === 0) return { toolCallId, success: true, output, exitCode };
  return { ...failed(`The command ended with exit code ${exitCode}.`, output), exitCode };
}

function toCompletion(result: ToolCallResult): SessionEventDataMap["tool.execution_complete"] {
  const { toolCallId, success, output, exitCode, error } = result;
  return {
    toolCallId,
    isUserRequested: true,
    success,
    result: { content: output },
    ...(exitCode !== undefined ? { shellExecution: { exitCode } } : {}),
    ...(error !== undefined ? { error: { message: error } } : {}),
  };
}

async function start(
  services: UserShellServices,
  session: Session,
  options: UserCommandOptions,
): Promise<UserCommand> {
  try {
    return await services.startCommand(session, options);
  } catch (error) {
    if (error instanceof RpcError) throw error;
    throw new RpcError("invalid_params", (error as Error).message, { path: "command" }, { cause: error });
  }
}

/** The exit code. The command is ended when its time is up, or the signal aborts. */
async function finishedWithin(command: UserCommand, timeoutMs: number, signal: AbortSignal): Promise<number> {
  const waiting = new AbortController();
  const stop = AbortSignal.any([signal, waiting.signal]);
  const timeUp = sleep(timeoutMs, undefined, { signal: stop }).catch(() => undefined);
  const exitCode = await Promise.race([command.finished, timeUp]);
  waiting.abort();
  if (exitCode !== undefined) return exitCode;
  await command.end();
  return Promise.race([command.finished, sleep(0, 128 + constants.signals.SIGKILL)]);
}

function shownOutput(session: Session, toolCallId: string): (text: string) => void {
  let left = MAX_SHOWN_CHARACTERS;
  const show = showOutput(session, toolCallId);
  return (text) => {
    if (left > 0) show(cutText(text, left));
    left -= text.length;
  };
}
