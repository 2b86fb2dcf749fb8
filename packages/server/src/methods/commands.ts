/** Methods on slash commands: list them, carry one out, queue one, and answer for one. */
import { type CommandEnding, runClientCommand } from "../session/abilities/commands/client-command.ts";
import {
  builtInCommandInfos,
  enqueueCommand,
  invokeCommand,
  listCommands,
} from "../session/abilities/commands/slash-commands.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

export function commandMethods(services: Services) {
  const ofSession = withSession(services);
  return {
    "commands.list": () => ({ commands: builtInCommandInfos() }),
    "session.commands.list": ofSession((session, params) => ({ commands: listCommands(session, params) })),
    "session.commands.invoke": ofSession((session, params, scope) =>
      invokeCommand(services.commands, session, params, scope.signal),
    ),
    "session.commands.execute": ofSession((session, params, scope) => {
      return runClientCommand(session, params.commandName.replace(/^\//, ""), params.args, scope.signal);
    }),
    "session.commands.enqueue": ofSession(async (session, params) => {
      const queueId = await enqueueCommand(session, params.command, params.displayText ?? undefined);
      return { queued: true, queueId };
    }),
    "session.commands.respondToQueuedCommand": ofSession((session, params) => ({
      success: session.questions.answer("queued-command", params.requestId, params.result),
    })),
    "session.commands.handlePendingCommand": ofSession((session, params) => {
      const ending: CommandEnding = params.error !== undefined ? { error: params.error } : {};
      session.questions.answer("command", params.requestId, ending);
      // Clients count on `success` also for a command that nobody waits for any more.
      return { success: true };
    }),
  } satisfies Methods;
}
