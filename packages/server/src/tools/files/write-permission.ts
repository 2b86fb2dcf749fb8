/** What is asked before a file is written. */
import type { PermissionRequestWrite } from "@rightseat/protocol";
import type { BuiltInToolHost } from "../built-in-tool.ts";
import { isAllowed, type NamedPath } from "../paths.ts";
import type { PermissionAsk, ToolContext } from "../tool.ts";

export interface PlannedWrite extends NamedPath {
  readonly intention: string;
  readonly diff: string;
  /** Of a new file only. */
  readonly newFileContents?: string;
}

/** Outside the allowed directories each write is asked for by itself. */
export async function askWritePermission(
  write: PlannedWrite,
  context: ToolContext,
  host: BuiltInToolHost,
): Promise<PermissionAsk> {
  const allowed = await isAllowed(write.canonical, context, host);
  const request: PermissionRequestWrite = {
    kind: "write",
    intention: allowed ? write.intention : `${write.intention} (outside the allowed directories)`,
    fileName: write.path,
    resolvedPath: write.canonical,
    diff: write.diff,
    ...(write.newFileContents === undefined ? {} : { newFileContents: write.newFileContents }),
    canOfferSessionApproval: allowed,
  };
  return { ...request };
}
