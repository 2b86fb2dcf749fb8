/** What is asked before something is read. */
import type { PermissionRequestRead } from "@rightseat/protocol";
import { shownIn } from "./intention.ts";
import { type PathUse, pathToAskFor } from "./paths.ts";
import type { PermissionAsk, ToolContext } from "./tool.ts";

/**
 * Reads are asked for in the working directory too: recorded conversations end at a rejected one there.
 * A client that answers may allow them all.
 * @param intention names the path.
 */
export async function askReadPermission(
  intention: (path: string) => string,
  args: unknown,
  context: ToolContext,
  use: Omit<PathUse, "access">,
): Promise<PermissionAsk> {
  const { path, canonical } = await pathToAskFor(args, context, { ...use, access: "read" });
  const request: PermissionRequestRead = {
    kind: "read",
    intention: intention(shownIn(path)),
    path,
    resolvedPath: canonical,
  };
  return { ...request };
}
