/** Slash commands of a session: which there are, and carrying one out at once or when its turn comes. */
import { randomUUID } from "node:crypto";
import { RpcError, type SlashCommandInfo } from "@rightseat/protocol";
import { clientFacts, someClient, watches } from "../../open/clients.ts";
import type { Session } from "../../open/session.ts";
import type { QueuedPrompt } from "../../state/session-state.ts";
import { BUILT_IN_COMMANDS } from "./built-in-commands.ts";
import { isClientCommand, runClientCommand } from "./client-command.ts";
import type { BuiltInCommand, CommandResult, CommandServices, QueuedCommandEnd } from "./command-types.ts";

export function builtInCommandInfos(): SlashCommandInfo[] {
  return BUILT_IN_COMMANDS.map(({ run: _, ...info }) => ({ ...info, kind: "builtin", schedulable: false }));
}

export function listCommands(
  session: Session,
  wanted: { readonly includeBuiltins?: boolean; readonly includeClientCommands?: boolean },
): SlashCommandInfo[] {
  const own = wanted.includeBuiltins === false ? [] : builtInCommandInfos();
  const clients = wanted.includeClientCommands === false ? [] : clientFacts(session).commands;
  return [
    ...own,
    ...clients.map(({ name, description }) => ({
      name,
      description,
      kind: "client" as const,
      allowDuringAgentExecution: true,
      schedulable: false,
    })),
  ];
}

/** @throws RpcError `invalid_params` when there is no such command, or its input makes no sense. */
export async function invokeCommand(
  services: CommandServices,
  session: Session,
  call: { readonly name: string; readonly input?: string },
  signal: AbortSignal,
): Promise<CommandResult> {
  const name = call.name.replace(/^\//, "");
  const input = call.input?.trim() ?? "";
  const builtIn = findBuiltIn(name);
  if (builtIn) {
    if (!builtIn.allowDuringAgentExecution && session.run !== undefined)
      throw new RpcError(
        "invalid_params",
        `/${builtIn.name} cannot be carried out during a run; wait until the session is idle, or queue it with session.commands.enqueue`,
        { path: "name" },
      );
    return runBuiltIn(services, session, builtIn, input);
  }
  if (!isClientCommand(session, name)) throw unknownCommand(name);
  const { error } = await runClientCommand(session, name, input, signal);
  if (error !== undefined) throw new RpcError("invalid_params", `/${name}: ${error}`, { path: "name" });
  return { kind: "completed" };
}

/**
 * Takes a command into the queue of prompts; resolves with its id there once that is committed.
 * @throws RpcError `invalid_params` unless it begins with a slash and a name.
 */
export async function enqueueCommand(
  session: Session,
  command: string,
  displayText: string | undefined,
): Promise<string> {
  if (!parseCommand(command))
    throw new RpcError(
      "invalid_params",
      "session.commands.enqueue: command: expected a slash and a name, such as '/help'",
      { path: "command" },
    );
  const item: QueuedPrompt = {
    messageId: randomUUID(),
    kind: "command",
    prompt: command,
    steering: false,
    ...(displayText !== undefined ? { displayPrompt: displayText } : {}),
  };
  session.emit("pending_messages.modified", {});
  session.record("rightseat.prompt_queued", { prompt: item });
  session.signal("prompt-waits");
  await session.committed();
  return item.messageId;
}

/**
 * Carries out a command whose turn has come: clients that watch `command.queued` first, then the client
 * that declared it, then the server. Resolves always; what went wrong is told as a warning.
 */
export async function runQueuedCommand(
  services: CommandServices,
  session: Session,
  command: string,
  signal: AbortSignal,
): Promise<QueuedCommandEnd> {
  const { name, input } = parseCommand(command) ?? { name: "", input: "" };
  const taken = await offerToWatchers(session, command, signal);
  if (taken?.handled) return { stopsQueue: taken.stopProcessingQueue === true };
  if (signal.aborted) return {};
  try {
    if (isClientCommand(session, name)) {
      const { error } = await runClientCommand(session, name, input, signal);
      if (error !== undefined) warn(session, `/${name}: ${error}`);
      return {};
    }
    const builtIn = findBuiltIn(name);
    if (!builtIn) throw unknownCommand(name);
    return tellResult(session, await runBuiltIn(services, session, builtIn, input));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    warn(session, error.message);
    return {};
  }
}

/** What `session.commands.respondToQueuedCommand` brings. */
export interface QueuedCommandAnswer {
  readonly handled: boolean;
  readonly stopProcessingQueue?: boolean;
}

async function offerToWatchers(
  session: Session,
  command: string,
  signal: AbortSignal,
): Promise<QueuedCommandAnswer | undefined> {
  const watched = () => someClient(session, (attachment) => watches(attachment, "command.queued"));
  if (!watched()) return undefined;
  const requestId = randomUUID();
  const event = session.emit("command.queued", { requestId, command });
  const outcome = await session.questions.ask<QueuedCommandAnswer>(
    { requestId, kind: "queued-command", event },
    signal,
  );
  session.emit("command.completed", { requestId });
  return outcome.kind === "answered" ? outcome.answer : undefined;
}

function tellResult(session: Session, result: CommandResult): QueuedCommandEnd {
  if (result.kind === "agent-prompt") {
    const { prompt, displayPrompt, mode } = result;
    return { prompt: { prompt, displayPrompt, ...(mode ? { agentMode: mode } : {}) } };
  }
  const message = result.kind === "text" ? result.text : result.message;
  if (message !== undefined) session.emit("session.info", { infoType: "command", message });
  return {};
}

function warn(session: Session, message: string): void {
  session.emit("session.warning", { warningType: "command", message });
}

function findBuiltIn(name: string): BuiltInCommand | undefined {
  const wanted = name.toLowerCase();
  return BUILT_IN_COMMANDS.find((command) => command.name === wanted);
}

function runBuiltIn(
  services: CommandServices,
  session: Session,
  { name, input: expected, run }: BuiltInCommand,
  input: string,
): Promise<CommandResult> | CommandResult {
  if (expected?.required && input === "")
    throw new RpcError("invalid_params", `/${name}: expected ${expected.hint}, got nothing`, {
      path: "input",
    });
  return run(services, session, input);
}

function parseCommand(command: string): { name: string; input: string } | undefined {
  const [, name, input = ""] = /^\s*\/(\S+)\s*([\s\S]*)$/.exec(command) ?? [];
  return name === undefined ? undefined : { name, input: input.trimEnd() };
}

function unknownCommand(name: string): RpcError {
  return new RpcError(
    "invalid_params",
    `Unknown slash command: /${name}; session.commands.list tells which there are`,
    { path: "name" },
  );
}
