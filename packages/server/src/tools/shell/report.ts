/** What models read of shells. */
import type { ToolResult } from "../tool.ts";
import { failure, success } from "../tool-results.ts";
import type { Shell } from "./shell.ts";
import type { Shells } from "./shells.ts";

/** New output, and the state. The wording of an exit is what recorded conversations hold. */
export async function reportShell(shell: Shell): Promise<ToolResult> {
  // Read first: output that comes between the two must not be called the last.
  const { exitCode } = shell;
  const output = await shell.takeOutput();
  const state =
    exitCode === undefined
      ? `<still running with shellId: ${shell.info.id}. Use read_bash for what follows, or stop_bash to end it.>`
      : `<exited with exit code ${exitCode}>`;
  const text = output === "" || output.endsWith("\n") ? output + state : `${output}\n${state}`;
  return {
    ...success(text),
    raw: { shellId: shell.info.id, ...(exitCode === undefined ? {} : { exitCode }) },
  };
}

export function unknownShell(id: string, shells: Shells): ToolResult {
  const known = shells.all().map((shell) => shell.info.id);
  const hint = known.length > 0 ? `These exist: ${known.join(", ")}.` : "There are none; bash starts one.";
  return failure(`There is no shell "${id}". ${hint}`, "unknown_shell");
}
