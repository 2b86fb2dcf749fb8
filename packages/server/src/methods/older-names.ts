/** Names by which SDKs 0.1.32 to 0.3.0 call methods that have had other ones since. */
import type { MethodName } from "../rpc/method-types.ts";
import type { CheckedMethods } from "./method.ts";

export const OLDER_NAMES = {
  "session.auth.getStatus": "session.gitHubAuth.getStatus",
  "session.compaction.compact": "session.history.compact",
  "session.workspace.createFile": "session.workspaces.createFile",
  "session.workspace.listFiles": "session.workspaces.listFiles",
  "session.workspace.readFile": "session.workspaces.readFile",
} as const satisfies { readonly [Older in MethodName]?: MethodName };

export function withOlderNames(methods: CheckedMethods): CheckedMethods {
  const older = Object.entries(OLDER_NAMES).map(([old, name]) => [old, methods[name]]);
  return { ...methods, ...Object.fromEntries(older) };
}
