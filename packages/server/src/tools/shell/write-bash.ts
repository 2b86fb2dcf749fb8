/** `write_bash`: input for a shell. Asks first, as `bash` does: input can be commands. */
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { shownIn } from "../intention.ts";
import { possibleCommandsOf, withPossibleCommands } from "../possible-commands.ts";
import { optionalNumber, requiredText, toArguments } from "../tool-arguments.ts";
import { failure } from "../tool-results.ts";
import { askShellPermission } from "./permission.ts";
import { DELAY_RANGE } from "./read-bash.ts";
import { reportShell, unknownShell } from "./report.ts";
import { Shells } from "./shells.ts";

const DEFAULT_DELAY_SECONDS = 2;

const KEYS: Readonly<Record<string, string>> = {
  enter: "\n",
  tab: "\t",
  backspace: "\x7f",
  escape: "\x1b",
  up: "\x1b[A",
  down: "\x1b[B",
  right: "\x1b[C",
  left: "\x1b[D",
};

export const writeBash: BuiltInToolBody = {
  async permission(args, context, session) {
    const { id, input } = parse(args);
    const shell = session.resource(Shells).get(id);
    const of = shell?.info.description ? ` (${shell.info.description})` : "";
    const intention = `Send ${JSON.stringify(shownIn(input))} to the shell ${id}${of}`;
    const ask = await askShellPermission(input, intention, context.workingDirectory);
    // What the input means is up to the program that reads it: names of commands say nothing of it.
    return withPossibleCommands({ ...ask, canOfferSessionApproval: false }, possibleCommandsOf(ask));
  },

  async run(args, context, session) {
    const { id, input, delaySeconds } = parse(args);
    const shells = session.resource(Shells);
    const shell = shells.get(id);
    if (!shell) return unknownShell(id, shells);
    if (!shell.write(input)) {
      const why = shell.exitCode === undefined ? "reads no input: only async mode does" : "has exited";
      return failure(`The shell "${id}" ${why}. Start one with bash in "async" mode.`, "not_writable");
    }
    await shell.waitUntilFinished(1000 * delaySeconds, context.signal);
    return reportShell(shell);
  },
};

function parse(args: unknown) {
  const given = toArguments(args);
  return {
    id: requiredText(given, "shellId"),
    input: requiredText(given, "input").replace(/\{(\w+)\}/g, (written, key: string) => KEYS[key] ?? written),
    delaySeconds: optionalNumber(given, "delay", DELAY_RANGE) ?? DEFAULT_DELAY_SECONDS,
  };
}
