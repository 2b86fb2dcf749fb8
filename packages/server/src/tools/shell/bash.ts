/** `bash`: runs a command. */
import { cutText } from "@rightseat/protocol";
import type { BuiltInToolBody } from "../built-in-tool.ts";
import { commandIntention } from "../intention.ts";
import type { ToolContext } from "../tool.ts";
import {
  optionalChoice,
  optionalNumber,
  optionalText,
  requiredText,
  toArguments,
  withoutNul,
} from "../tool-arguments.ts";
import { success } from "../tool-results.ts";
import { OutputTail } from "./output-tail.ts";
import { askShellPermission } from "./permission.ts";
import { reportShell } from "./report.ts";
import { Shells } from "./shells.ts";

const DEFAULT_WAIT_SECONDS = 30;
const MAX_WAIT_SECONDS = 3600;
/** Kept of a command in the background, at most twice as much. */
const TAIL_CHARS = 128 * 1024;
/** The shown output of one call: a person who watches needs no more, and the result has the rest. */
const MAX_SHOWN_CHARS = 51_200;

export const bash: BuiltInToolBody = {
  permission(args, context) {
    const { command, description } = parse(args);
    return askShellPermission(command, commandIntention(command, description), context.workingDirectory);
  },

  async run(args, context, session) {
    const { mode, waitMs, ...start } = parse(args);
    context.signal.throwIfAborted();
    const shells = session.resource(Shells);
    const shell = await shells.start({ ...start, cwd: context.workingDirectory, input: mode === "async" });
    const { id } = shell.info;
    shell.tail = new OutputTail(TAIL_CHARS);
    if (mode === "async") {
      shell.isInBackground = true;
      return success(
        `<started with shellId: ${id}. Use read_bash for its output, write_bash to send input, stop_bash to end it.>`,
      );
    }
    shell.onOutput = shownOutput(context);
    try {
      await shell.waitUntilFinished(waitMs, context.signal);
    } catch (aborted) {
      await shell.end();
      throw aborted;
    } finally {
      shell.onOutput = undefined;
    }
    shell.isInBackground = shell.exitCode === undefined;
    // When the command has finished, the call's result has its output.
    if (!shell.isInBackground) shell.tail = undefined;
    return reportShell(shell);
  },
};

function parse(args: unknown) {
  const given = toArguments(args);
  const range = { min: 0, max: MAX_WAIT_SECONDS };
  return {
    command: withoutNul(requiredText(given, "command"), "command"),
    description: optionalText(given, "description") ?? "",
    mode: optionalChoice(given, "mode", ["sync", "async"]) ?? "sync",
    waitMs: 1000 * (optionalNumber(given, "initial_wait", range) ?? DEFAULT_WAIT_SECONDS),
    id: optionalText(given, "shellId") || undefined,
  };
}

function shownOutput(context: ToolContext): (text: string) => void {
  let left = MAX_SHOWN_CHARS;
  return (text) => {
    if (left > 0) context.onOutput(cutText(text, left));
    left -= text.length;
  };
}
