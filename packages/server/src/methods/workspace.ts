/** Methods on the files that a session keeps of its own, and on those it works on: `session.plan.*`, `session.workspaces.*`. */

import {
  listCheckpointFiles,
  readCheckpointFile,
  writeCheckpointFile,
} from "../session/abilities/workspace/checkpoint-files.ts";
import { modifiedTimeOf, workspaceDetails } from "../session/abilities/workspace/metadata-snapshot.ts";
import { deletePlan, keepPlan, readPlan } from "../session/abilities/workspace/session-plan.ts";
import { workingDirectoryOf } from "../session/abilities/workspace/working-directory.ts";
import { type WorkspaceFiles, workspaceFilesOf } from "../session/abilities/workspace/workspace-files.ts";
import { gitCeiling } from "../session/members/confinement.ts";
import type { Session } from "../session/open/session.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

export function workspaceMethods(services: Services) {
  const ofSession = withSession(services);
  const { catalogue } = services.registry.store;
  const ofFiles = <P extends { sessionId: string }, R>(
    act: (files: WorkspaceFiles, params: P, session: Session) => R | Promise<R>,
  ) => ofSession((session, params: P) => act(workspaceFilesOf(session), params, session));
  const details = async (session: Session) => {
    const snapshot = { catalogue, defaultWorkingDirectory: services.runs.defaultWorkingDirectory };
    return {
      ...workspaceDetails(snapshot, session, await modifiedTimeOf(snapshot, session)),
      ...(session.settings.clientName !== undefined ? { client_name: session.settings.clientName } : {}),
      summary_count: (await listCheckpointFiles(session)).length,
    };
  };
  return {
    "session.plan.read": ofSession((session) => readPlan(session)),
    "session.plan.update": ofSession(async (session, params) => {
      await keepPlan(session, params.content);
      await session.committed();
      return null;
    }),
    "session.plan.delete": ofSession(async (session) => {
      if (await deletePlan(session)) {
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
    "session.workspaces.getWorkspace": ofSession(async (session) => ({
      workspace: await details(session),
      path: session.directory,
    })),
    "session.workspaces.listFiles": ofFiles(async (files) => ({ files: await files.list() })),
    "session.workspaces.readFile": ofFiles(async (files, params) => ({
      content: await files.read(params.path),
    })),
    "session.workspaces.createFile": ofFiles(async (files, params, session) => {
      const operation = await files.write(params.path, params.content);
      session.append("session.workspace_file_changed", { path: params.path, operation });
      await session.committed();
      return null;
    }),
    "session.workspaces.statFile": ofFiles((files, params) => files.stat(params.path)),
    "session.workspaces.createDirectory": ofFiles(async (files, params) => {
      await files.createDirectory(params.path, { recursive: params.recursive === true });
      return null;
    }),
    "session.workspaces.removePath": ofFiles(async (files, params) => {
      const { recursive, force } = params;
      await files.remove(params.path, { recursive: recursive === true, force: force === true });
      return null;
    }),
    "session.workspaces.renamePath": ofFiles(async (files, params) => {
      await files.rename(params.source, params.destination);
      return null;
    }),
    "session.workspaces.saveLargePaste": ofFiles(async (files, params, session) => {
      const saved = await files.savePaste(params.content);
      session.append("session.workspace_file_changed", { path: saved.filename, operation: "create" });
      await session.committed();
      return { saved };
    }),
    "session.workspaces.listCheckpoints": ofSession(async (session) => ({
      checkpoints: await listCheckpointFiles(session),
    })),
    "session.workspaces.readCheckpoint": ofSession(async (session, params) => ({
      content: (await readCheckpointFile(session, params.number)) ?? null,
    })),
    "session.workspaces.addSummary": ofSession(async (session, params) => {
      const written = await writeCheckpointFile(session, params, async (number) => {
        session.record("rightseat.summary_file", { number, by: "client" });
        await session.committed();
      });
      return {
        summary: {
          checkpointNumber: written.number,
          checkpointPath: written.path,
          checkpointTitle: written.title,
        },
        workspace: await details(session),
      };
    }),
    "session.workspaces.diff": ofSession(async (session, params, scope) => {
      const { diffWorkspace } = await import("../session/abilities/workspace/workspace-diff.ts");
      const workingDirectory = workingDirectoryOf(services.runs, session);
      const { confinement, enableHostGitOperations } = session.settings;
      const mayRunGit = enableHostGitOperations !== false;
      // Its programs run one after the other.
      const giveBack = mayRunGit ? await services.governor.takeProcess(session.key.tenant) : () => undefined;
      return diffWorkspace({
        mode: params.mode,
        ignoreWhitespace: params.ignoreWhitespace,
        workingDirectory,
        mayRunGit,
        environment: {
          ...services.environment,
          ...gitCeiling(confinement, workingDirectory),
        },
        confinement,
        signal: scope.signal,
      }).finally(giveBack);
    }),
  } satisfies Methods;
}
