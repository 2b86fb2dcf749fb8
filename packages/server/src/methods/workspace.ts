/** Methods on the files that a session keeps of its own: its plan, its workspace. */

import { keepPlan } from "../session/session-plan.ts";
import { createWorkspace } from "../session/workspace.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

export function workspaceMethods(services: Services): Methods {
  const open = async (params: ById, scope: Scope) => {
    const session = await sessionOf(services, scope, params);
    return { session, workspace: createWorkspace(services.registry.log.workspacePath(session.key)) };
  };
  return {
    "session.plan.read": async (params: ById, scope: Scope) =>
      (await open(params, scope)).workspace.readPlan(),
    "session.plan.update": async (params: ById & { content: string }, scope: Scope) => {
      const { session, workspace } = await open(params, scope);
      await keepPlan(session, workspace, params.content);
      await session.committed();
      return null;
    },
    "session.plan.delete": async (params: ById, scope: Scope) => {
      const { session, workspace } = await open(params, scope);
      if (await workspace.deletePlan()) {
        session.append("session.plan_changed", { operation: "delete" });
        await session.committed();
      }
      return null;
    },
    "session.plan.readSqlTodos": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return { rows: (await services.todosOf(session, scope.signal)).rows };
    },
    "session.plan.readSqlTodosWithDependencies": async (params: ById, scope: Scope) =>
      services.todosOf(await sessionOf(services, scope, params), scope.signal),
    "session.workspaces.listFiles": async (params: ById, scope: Scope) => ({
      files: await (await open(params, scope)).workspace.listFiles(),
    }),
    "session.workspaces.readFile": async (params: ById & { path: string }, scope: Scope) => ({
      content: await (await open(params, scope)).workspace.readFile(params.path),
    }),
    "session.workspaces.createFile": async (
      params: ById & { path: string; content: string },
      scope: Scope,
    ) => {
      const { session, workspace } = await open(params, scope);
      const operation = await workspace.writeFile(params.path, params.content);
      session.append("session.workspace_file_changed", { path: params.path, operation });
      await session.committed();
      return null;
    },
  };
}
