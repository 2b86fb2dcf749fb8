/** What is asked before something is read. */
import type { PermissionRequestRead } from "@rightseat/protocol";
import { type PathUse, pathToAskFor } from "./paths.ts";
import type { PermissionAsk, ToolContext } from "./tool.ts";

/**
 * Reads are asked for in the working directory too: recorded conversations end at a rejected one there.
 * Who answers may allow them all.
 */
export async function askReadPermission(
  intention: string,
  args: unknown,
  context: ToolContext,
  use: Omit<PathUse, "access">,
): Promise<PermissionAsk> {
  const { path, canonical } = await pathToAskFor(args, context, { ...use, access: "read" });
  const request: PermissionRequestRead = { kind: "read", intention, path, resolvedPath: canonical };
  return { ...request };
}
