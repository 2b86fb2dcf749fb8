/** What is asked before a file is written. */
import type { PermissionRequestWrite } from "@rightseat/protocol";
import type { NamedPath } from "../paths.ts";
import type { PermissionAsk } from "../tool.ts";

export interface PlannedWrite extends NamedPath {
  readonly intention: string;
  readonly diff: string;
  /** Of a new file only. */
  readonly newFileContents?: string;
}

export function askWritePermission(write: PlannedWrite): PermissionAsk {
  const request: PermissionRequestWrite = {
    kind: "write",
    intention: write.intention,
    fileName: write.path,
    resolvedPath: write.canonical,
    diff: write.diff,
    ...(write.newFileContents === undefined ? {} : { newFileContents: write.newFileContents }),
    canOfferSessionApproval: true,
  };
  return { ...request };
}
