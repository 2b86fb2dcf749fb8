/** Commands of people in a session. The model is not shown them. */
import type { BuiltInSession, BuiltInToolHost } from "../built-in-tool.ts";
import type { UserCommand, UserCommandOptions } from "../user-command.ts";
import { Shells } from "./shells.ts";

class UserShells extends Shells {
  constructor(host: BuiltInToolHost) {
    // People see output as it comes; what is too much for a result is not kept in files.
    super({
      sessionId: host.sessionId,
      workingDirectory: () => host.workingDirectory(),
      largeOutputDirectory: () => undefined,
      environment: () => host.environment(),
      takeProcess: async () => (await host.takeProcess?.()) ?? (() => {}),
    });
  }
}

/** @throws Error when too many run already, or bash cannot be started. */
export async function startUserCommand(
  session: BuiltInSession,
  { onOutput, ...options }: UserCommandOptions,
): Promise<UserCommand> {
  const shells = session.resource(UserShells);
  const shell = await shells.start({ ...options, description: "", input: false });
  shell.onOutput = onOutput;
  return shell;
}
