/** `read_bash`: new output of a shell. */
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { optionalNumber, requiredText, toArguments } from "../tool-arguments.ts";
import { reportShell, unknownShell } from "./report.ts";
import { Shells } from "./shells.ts";

/** How long a model may wait for a shell at once, in seconds. */
export const DELAY_RANGE = { min: 0, max: 600 };
const DEFAULT_DELAY_SECONDS = 5;

export const readBash: BuiltInToolBody = {
  async run(args, context, session) {
    const given = toArguments(args);
    const id = requiredText(given, "shellId");
    const delay = optionalNumber(given, "delay", DELAY_RANGE) ?? DEFAULT_DELAY_SECONDS;
    const shells = session.resource(Shells);
    const shell = shells.get(id);
    if (!shell) return unknownShell(id, shells);
    await shell.waitUntilFinished(1000 * delay, context.signal);
    return reportShell(shell);
  },
};
