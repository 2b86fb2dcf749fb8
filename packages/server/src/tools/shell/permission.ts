/** What is asked before a command runs. */
import type { PermissionRequestShell } from "@rightseat/protocol";
import type { PermissionAsk } from "../tool.ts";
import { summarizeCommand } from "./command-line.ts";

export function askShellPermission(fullCommandText: string, intention: string): PermissionAsk {
  const summary = summarizeCommand(fullCommandText);
  const request: PermissionRequestShell = {
    kind: "shell",
    fullCommandText,
    intention,
    ...summary,
    canOfferSessionApproval: summary.commands.length > 0 && !summary.hasWriteFileRedirection,
  };
  return { ...request };
}
