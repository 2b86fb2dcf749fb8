/** What models read of shells. */

import type { ToolExecutionCompleteContentShellExit } from "@rightseat/protocol";
import { cutText } from "@rightseat/protocol";
import type { ToolResult } from "../tool.ts";
import { failure, success } from "../tool-results.ts";
import type { Shell } from "./shell.ts";
import type { Shells } from "./shells.ts";

/** The whole output is in the result already; clients show the start of it beside the exit code. */
const MAX_PREVIEW_CHARS = 1000;

/** New output, and the state. The wording of an exit is what recorded conversations hold. */
export async function reportShell(shell: Shell): Promise<ToolResult> {
  // Read first: output that comes between the two must not be called the last.
  const { exitCode } = shell;
  const { text: output, file } = await shell.takeOutput();
  const state =
    exitCode === undefined
      ? `<still running with shellId: ${shell.info.id}. Use read_bash for what follows, or stop_bash to end it.>`
      : `<exited with exit code ${exitCode}>`;
  const text = output === "" || output.endsWith("\n") ? output + state : `${output}\n${state}`;
  if (exitCode === undefined) return success(text);
  const content: ToolExecutionCompleteContentShellExit = {
    type: "shell_exit",
    shellId: shell.info.id,
    exitCode,
    cwd: shell.info.cwd,
    outputPreview: cutText(output, MAX_PREVIEW_CHARS),
    ...(file !== undefined || output.length > MAX_PREVIEW_CHARS ? { outputTruncated: true } : {}),
    ...(file === undefined ? {} : { outputFilePath: file }),
  };
  return { ...success(text), contents: [content] };
}

export function unknownShell(id: string, shells: Shells): ToolResult {
  const known = shells.all().map((shell) => shell.info.id);
  const hint = known.length > 0 ? `These exist: ${known.join(", ")}.` : "There are none; bash starts one.";
  return failure(`There is no shell "${id}". ${hint}`, "unknown_shell");
}
