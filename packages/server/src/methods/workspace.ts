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
import { gitCeiling } from "../session/members/confinement.ts";
import type { Session } from "../session/open/session.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

export function workspaceMethods(services: Services) {
  const ofSession = withSession(services);
  const { log } = services.registry;
  const ofWorkspace = <P extends { sessionId: string }, R>(
    act: (workspace: Workspace, params: P, session: Session) => R | Promise<R>,
  ) =>
    ofSession((session, params: P) => act(createWorkspace(log.workspacePath(session.key)), params, session));
  const details = async (session: Session, { directory }: Workspace) => {
    const snapshot = { log, defaultWorkingDirectory: services.runs.defaultWorkingDirectory };
    return {
      ...workspaceDetails(snapshot, session, await modifiedTimeOf(snapshot, session)),
      ...(session.settings.clientName !== undefined ? { client_name: session.settings.clientName } : {}),
      summary_count: (await listCheckpointFiles(directory)).length,
    };
  };
  return {
    "session.plan.read": ofWorkspace((workspace) => workspace.readPlan()),
    "session.plan.update": ofWorkspace(async (workspace, params, session) => {
      await keepPlan(session, workspace, params.content);
      await session.committed();
      return null;
    }),
    "session.plan.delete": ofWorkspace(async (workspace, _params, session) => {
      if (await workspace.deletePlan()) {
        session.append("session.plan_changed", { operation: "delete" });
        await session.committed();
      }
      return null;
    }),
    "session.plan.readSqlTodos": ofSession(async (session, _params, scope) => ({
      rows: (await services.todosOf(session, scope.signal)).rows,
    })),
    "session.plan.readSqlTodosWithDependencies": ofSession((session, _params, scope) =>
      services.todosOf(session, scope.signal),
    ),
    "session.workspaces.getWorkspace": ofSession(async (session) => {
      const directory = log.workspacePath(session.key);
      if (directory === undefined) return { workspace: null };
      return { workspace: await details(session, createWorkspace(directory)), path: directory };
    }),
    "session.workspaces.listFiles": ofWorkspace(async ({ files }) => ({ files: await files.list() })),
    "session.workspaces.readFile": ofWorkspace(async ({ files }, params) => ({
      content: await files.read(params.path),
    })),
    "session.workspaces.createFile": ofWorkspace(async (workspace, params, session) => {
      const operation = await workspace.files.write(params.path, params.content);
      session.append("session.workspace_file_changed", { path: params.path, operation });
      await session.committed();
      return null;
    }),
    "session.workspaces.statFile": ofWorkspace(({ files }, params) => files.stat(params.path)),
    "session.workspaces.createDirectory": ofWorkspace(async ({ files }, params) => {
      await files.createDirectory(params.path, { recursive: params.recursive === true });
      return null;
    }),
    "session.workspaces.removePath": ofWorkspace(async ({ files }, params) => {
      const { recursive, force } = params;
      await files.remove(params.path, { recursive: recursive === true, force: force === true });
      return null;
    }),
    "session.workspaces.renamePath": ofWorkspace(async ({ files }, params) => {
      await files.rename(params.source, params.destination);
      return null;
    }),
    "session.workspaces.saveLargePaste": ofSession(async (session, params) => {
      const directory = log.workspacePath(session.key);
      if (directory === undefined) return { saved: null };
      const saved = await createWorkspace(directory).files.savePaste(params.content);
      session.append("session.workspace_file_changed", { path: saved.filename, operation: "create" });
      await session.committed();
      return { saved };
    }),
    "session.workspaces.listCheckpoints": ofSession(async (session) => {
      const directory = log.workspacePath(session.key);
      return { checkpoints: directory === undefined ? [] : await listCheckpointFiles(directory) };
    }),
    "session.workspaces.readCheckpoint": ofSession(async (session, params) => {
      const directory = log.workspacePath(session.key);
      const content = directory && (await readCheckpointFile(directory, params.number));
      return { content: content ?? null };
    }),
    "session.workspaces.addSummary": ofWorkspace(async (workspace, params, session) => {
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
    }),
    "session.workspaces.diff": ofSession(async (session, params, scope) => {
      const { diffWorkspace } = await import("../session/abilities/workspace/workspace-diff.ts");
      const workingDirectory = workingDirectoryOf(services.runs, session);
      return diffWorkspace({
        mode: params.mode,
        ignoreWhitespace: params.ignoreWhitespace,
        workingDirectory,
        mayRunGit: session.settings.enableHostGitOperations !== false,
        environment: {
          ...services.environment,
          ...gitCeiling(session.settings.confinement, workingDirectory),
        },
        signal: scope.signal,
      });
    }),
  } satisfies Methods;
}
