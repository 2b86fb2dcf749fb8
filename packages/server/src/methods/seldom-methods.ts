/** Methods that most servers are seldom asked for. All are loaded with the first call of one of them. */
import type { Methods, Scope, Services } from "./services.ts";

/** All that `loadSeldomMethods` gives. */
export const SELDOM_METHODS: readonly string[] = [
  "session.history.truncate",
  "session.history.listRewindPoints",
  "session.history.previewRewind",
  "session.history.rewind",
  "session.history.clearContext",
  "sessions.fork",
  "session.history.compact",
  "session.history.cancelBackgroundCompaction",
  "session.history.abortManualCompaction",
  "session.history.summarizeForHandoff",
  "session.metadata.contextInfo",
  "session.metadata.getContextAttribution",
  "session.metadata.getContextHeaviestMessages",
  "session.metadata.recomputeContextTokens",
  "session.ui.ephemeralQuery",
  "session.plan.read",
  "session.plan.update",
  "session.plan.delete",
  "session.plan.readSqlTodos",
  "session.plan.readSqlTodosWithDependencies",
  "session.workspaces.getWorkspace",
  "session.workspaces.listFiles",
  "session.workspaces.readFile",
  "session.workspaces.createFile",
  "session.workspaces.statFile",
  "session.workspaces.createDirectory",
  "session.workspaces.removePath",
  "session.workspaces.renamePath",
  "session.workspaces.saveLargePaste",
  "session.workspaces.listCheckpoints",
  "session.workspaces.readCheckpoint",
  "session.workspaces.addSummary",
  "session.workspaces.diff",
  "session.tasks.list",
  "session.tasks.startAgent",
  "session.tasks.refresh",
  "session.tasks.waitForPending",
  "session.tasks.getProgress",
  "session.tasks.getCurrentPromotable",
  "session.tasks.promoteToBackground",
  "session.tasks.promoteCurrentToBackground",
  "session.tasks.cancel",
  "session.cancelAllBackgroundAgents",
  "session.tasks.remove",
  "session.tasks.sendMessage",
  "session.tools.updateSubagentSettings",
  "session.fleet.start",
];

export async function loadSeldomMethods(services: Services): Promise<Methods> {
  return (await import("./seldom-loaded.ts")).createSeldomMethods(services);
}

export function seldomMethods(services: Services): Methods {
  let loaded: Methods | undefined;
  // Once they are loaded, a call begins in the tick that it came in, as those of all other methods do.
  const method = (name: string) => (params: unknown, scope: Scope) => {
    if (loaded) return loaded[name]?.(params, scope);
    return loadSeldomMethods(services).then((methods) => {
      loaded = methods;
      return methods[name]?.(params, scope);
    });
  };
  return Object.fromEntries(SELDOM_METHODS.map((name) => [name, method(name)]));
}
