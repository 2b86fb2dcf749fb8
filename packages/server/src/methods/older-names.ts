/** Names by which SDKs 0.1.32 to 0.3.0 call methods that have had other ones since. */
import type { Methods } from "./services.ts";

export const OLDER_NAMES: Readonly<Record<string, string>> = {
  "session.auth.getStatus": "session.gitHubAuth.getStatus",
  "session.compaction.compact": "session.history.compact",
  "session.workspace.createFile": "session.workspaces.createFile",
  "session.workspace.listFiles": "session.workspaces.listFiles",
  "session.workspace.readFile": "session.workspaces.readFile",
};

export function withOlderNames(methods: Methods): Methods {
  const older = Object.entries(OLDER_NAMES).map(([old, name]) => [old, methods[name]]);
  return { ...methods, ...Object.fromEntries(older) };
}
