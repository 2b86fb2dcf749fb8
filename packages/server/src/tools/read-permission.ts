/** What is asked before something is read. */
import type { PermissionRequestRead } from "@rightseat/protocol";
import type { BuiltInToolHost } from "./built-in-tool.ts";
import { isAllowed, pathToAskFor } from "./paths.ts";
import type { PermissionAsk, ToolContext } from "./tool.ts";

/**
 * Reads are asked for in the working directory too: recorded conversations end at a rejected one there.
 * Who answers may allow them all.
 */
export async function askReadPermission(
  purpose: string,
  args: unknown,
  context: ToolContext,
  host: BuiltInToolHost,
  fallback?: string,
): Promise<PermissionAsk> {
  const { path, canonical } = await pathToAskFor(args, context, fallback);
  const outside = (await isAllowed(canonical, context, host)) ? "" : " (outside the allowed directories)";
  const intention = `${purpose}${outside}`;
  const request: PermissionRequestRead = { kind: "read", intention, path, resolvedPath: canonical };
  return { ...request };
}
