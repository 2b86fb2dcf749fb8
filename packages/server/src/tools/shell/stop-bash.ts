/** `stop_bash`: ends a shell. */
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { requiredText, toArguments } from "../tool-arguments.ts";
import { success } from "../tool-results.ts";
import { unknownShell } from "./report.ts";
import { Shells } from "./shells.ts";

export const stopBash: BuiltInToolBody = {
  async run(args, _context, session) {
    const id = requiredText(toArguments(args), "shellId");
    const shells = session.resource(Shells);
    const shell = shells.get(id);
    if (!shell) return unknownShell(id, shells);
    if (!shell.hasProcesses) return success(`The shell "${id}" had ended already.`);
    await shell.end();
    return success(`The shell "${id}" has been stopped.`);
  },
};
