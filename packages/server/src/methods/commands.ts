/** Methods on slash commands: list them, carry one out, queue one, and answer for one. */
import { type CommandEnding, runClientCommand } from "../session/abilities/commands/client-command.ts";
import {
  builtInCommandInfos,
  enqueueCommand,
  invokeCommand,
  listCommands,
  type QueuedCommandAnswer,
} from "../session/abilities/commands/slash-commands.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

export function commandMethods(services: Services): Methods {
  return {
    "commands.list": () => ({ commands: builtInCommandInfos() }),
    "session.commands.list": async (
      params: ById & { includeBuiltins?: boolean; includeClientCommands?: boolean },
      scope: Scope,
    ) => ({ commands: listCommands(await sessionOf(services, scope, params), params) }),
    "session.commands.invoke": async (params: ById & { name: string; input?: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return invokeCommand(services.commands, session, params, scope.signal);
    },
    "session.commands.execute": async (
      params: ById & { commandName: string; args: string },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      return runClientCommand(session, params.commandName.replace(/^\//, ""), params.args, scope.signal);
    },
    "session.commands.enqueue": async (
      params: ById & { command: string; displayText?: string | null },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      const queueId = await enqueueCommand(session, params.command, params.displayText ?? undefined);
      return { queued: true, queueId };
    },
    "session.commands.respondToQueuedCommand": async (
      params: ById & { requestId: string; result: QueuedCommandAnswer },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      return { success: session.questions.answer("queued-command", params.requestId, params.result) };
    },
    "session.commands.handlePendingCommand": async (
      params: ById & { requestId: string; error?: string },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      const ending: CommandEnding = params.error !== undefined ? { error: params.error } : {};
      session.questions.answer("command", params.requestId, ending);
      // Clients count on `success` also for a command that nobody waits for any more.
      return { success: true };
    },
  };
}
