/** `list_bash`: the shells of the session. */
import { cutText } from "@rightseat/protocol";
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { success } from "../tool-results.ts";
import type { Shell } from "./shell.ts";
import { Shells } from "./shells.ts";

const MAX_COMMAND_CHARS = 200;

export const listBash: BuiltInToolBody = {
  async run(_args, _context, session) {
    const lines = session.resource(Shells).all().map(describe);
    return success(lines.length > 0 ? lines.join("\n") : "There are no shells.");
  },
};

function describe(shell: Shell): string {
  const { id, command } = shell.info;
  const shown = command.length > MAX_COMMAND_CHARS ? `${cutText(command, MAX_COMMAND_CHARS)}…` : command;
  return `${id}: ${stateOf(shell)}: ${shown}`;
}

function stateOf({ exitCode, hasProcesses }: Shell): string {
  if (exitCode === undefined) return "running";
  return hasProcesses ? `exited with ${exitCode}, left processes that run` : `exited with ${exitCode}`;
}
