/** What is asked before a file is written. */
import type { PermissionRequestWrite } from "@rightseat/protocol";
import type { NamedPath } from "../paths.ts";
import type { PermissionAsk } from "../tool.ts";

export interface PlannedWrite extends NamedPath {
  readonly intention: string;
  readonly diff: string;
  /** Only for a new file. */
  readonly newFileContents?: string;
  /** The whole file, without `before` where it is made; where that is known. */
  readonly planned?: { readonly before?: string; readonly after: string };
}

/** Larger files are shown by their diffs alone: what is asked is kept in the session's log. */
const MAX_SHOWN_CHARS = 64 * 1024;

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
  const fileEdits = shownEdits(write);
  return { ...request, ...(fileEdits ? { fileEdits } : {}) };
}

function shownEdits({ canonical, planned }: PlannedWrite): PermissionRequestWrite["fileEdits"] {
  if (!planned) return undefined;
  const { before, after } = planned;
  if ((before?.length ?? 0) + after.length > MAX_SHOWN_CHARS) return undefined;
  const shown = (content: string) => ({ path: canonical, content });
  return [{ ...(before === undefined ? {} : { before: shown(before) }), after: shown(after) }];
}
