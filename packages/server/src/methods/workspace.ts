/** Methods on the files that a session keeps of its own, and on those it works on: `session.plan.*`, `session.workspaces.*`. */

import {
  listCheckpointFiles,
  readCheckpointFile,
  writeCheckpointFile,
} from "../session/abilities/workspace/checkpoint-files.ts";
import { modifiedTimeOf, workspaceDetails } from "../session/abilities/workspace/metadata-snapshot.ts";
import { keepPlan } from "../session/abilities/workspace/session-plan.ts";
import { workingDirectoryOf } from "../session/abilities/workspace/working-directory.ts";
import { createWorkspace, type Workspace } from "../session/abilities/workspace/workspace.ts";
import { type DiffMode, diffWorkspace } from "../session/abilities/workspace/workspace-diff.ts";
import type { Session } from "../session/open/session.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

export function workspaceMethods(services: Services): Methods {
  const { log } = services.registry;
  const open = async (params: ById, scope: Scope) => {
    const session = await sessionOf(services, scope, params);
    return { session, workspace: createWorkspace(log.workspacePath(session.key)) };
  };
  const details = async (session: Session, { directory }: Workspace) => {
    const snapshot = { log, defaultWorkingDirectory: services.runs.defaultWorkingDirectory };
    return {
      ...workspaceDetails(snapshot, session, await modifiedTimeOf(snapshot, session)),
      ...(session.settings.clientName !== undefined ? { client_name: session.settings.clientName } : {}),
      summary_count: (await listCheckpointFiles(directory)).length,
    };
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
    "session.workspaces.getWorkspace": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const directory = log.workspacePath(session.key);
      if (directory === undefined) return { workspace: null };
      return { workspace: await details(session, createWorkspace(directory)), path: directory };
    },
    "session.workspaces.listFiles": async (params: ById, scope: Scope) => ({
      files: await (await open(params, scope)).workspace.files.list(),
    }),
    "session.workspaces.readFile": async (params: ById & { path: string }, scope: Scope) => ({
      content: await (await open(params, scope)).workspace.files.read(params.path),
    }),
    "session.workspaces.createFile": async (
      params: ById & { path: string; content: string },
      scope: Scope,
    ) => {
      const { session, workspace } = await open(params, scope);
      const operation = await workspace.files.write(params.path, params.content);
      session.append("session.workspace_file_changed", { path: params.path, operation });
      await session.committed();
      return null;
    },
    "session.workspaces.statFile": async (params: ById & { path: string }, scope: Scope) =>
      (await open(params, scope)).workspace.files.stat(params.path),
    "session.workspaces.createDirectory": async (
      params: ById & { path: string; recursive?: boolean },
      scope: Scope,
    ) => {
      const { workspace } = await open(params, scope);
      await workspace.files.createDirectory(params.path, { recursive: params.recursive === true });
      return null;
    },
    "session.workspaces.removePath": async (
      params: ById & { path: string; recursive?: boolean; force?: boolean },
      scope: Scope,
    ) => {
      const { workspace } = await open(params, scope);
      const { recursive, force } = params;
      await workspace.files.remove(params.path, { recursive: recursive === true, force: force === true });
      return null;
    },
    "session.workspaces.renamePath": async (
      params: ById & { source: string; destination: string },
      scope: Scope,
    ) => {
      await (await open(params, scope)).workspace.files.rename(params.source, params.destination);
      return null;
    },
    "session.workspaces.saveLargePaste": async (params: ById & { content: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const directory = log.workspacePath(session.key);
      if (directory === undefined) return { saved: null };
      const saved = await createWorkspace(directory).files.savePaste(params.content);
      session.append("session.workspace_file_changed", { path: saved.filename, operation: "create" });
      await session.committed();
      return { saved };
    },
    "session.workspaces.listCheckpoints": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const directory = log.workspacePath(session.key);
      return { checkpoints: directory === undefined ? [] : await listCheckpointFiles(directory) };
    },
    "session.workspaces.readCheckpoint": async (params: ById & { number: number }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const directory = log.workspacePath(session.key);
      const content = directory && (await readCheckpointFile(directory, params.number));
      return { content: content ?? null };
    },
    "session.workspaces.addSummary": async (
      params: ById & { title: string; content: string },
      scope: Scope,
    ) => {
      const { session, workspace } = await open(params, scope);
      const written = await writeCheckpointFile(workspace.directory, params, async (number) => {
        session.record("rightseat.summary_file", { number, by: "client" });
        await session.committed();
      });
      return {
        summary: {
          checkpointNumber: written.number,
          checkpointPath: written.path,
          checkpointTitle: written.title,
        },
        workspace: await details(session, workspace),
      };
    },
    "session.workspaces.diff": async (
      params: ById & { mode: DiffMode; ignoreWhitespace?: boolean },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      return diffWorkspace({
        mode: params.mode,
        ignoreWhitespace: params.ignoreWhitespace,
        workingDirectory: workingDirectoryOf(services.runs, session),
        confinement: session.settings.confinement,
        mayRunGit: session.settings.enableHostGitOperations !== false,
        environment: services.environment,
        signal: scope.signal,
      });
    },
  };
}
