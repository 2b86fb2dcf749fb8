/** Methods on what a session is called, where it works and what it is doing: `session.metadata.*`, `session.name.*`, … */

import type { SessionEventDataMap } from "@rightseat/protocol";
import { cutText } from "@rightseat/protocol";
import { activeAgents } from "../session/abilities/agents/active-agents.ts";
import { metadataSnapshot, nameOf } from "../session/abilities/workspace/metadata-snapshot.ts";
import {
  checkWorkingDirectory,
  moveSession,
  recordContext,
} from "../session/abilities/workspace/working-directory.ts";
import { renameSession } from "../session/open/change-session.ts";
import type { Session } from "../session/open/session.ts";
import { type ClientMetadataPatch, checkMetadataPatch } from "../session/state/client-metadata.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

/** As of names that users give. */
const MAX_NAME_LENGTH = 100;

/** Whether something is under way that an abort would end. */
function isWorking(session: Session): boolean {
  return session.run !== undefined || (activeAgents.of(session)?.working ?? 0) > 0;
}

export function sessionMetadataMethods(services: Services): Methods {
  return {
    "session.metadata.isProcessing": async (params: ById, scope: Scope) => ({
      processing: isWorking(await sessionOf(services, scope, params)),
    }),
    "session.metadata.activity": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return { abortable: isWorking(session), hasActiveWork: session.busy };
    },
    "session.metadata.snapshot": async (params: ById, scope: Scope) =>
      metadataSnapshot(
        { log: services.registry.log, defaultWorkingDirectory: services.runs.defaultWorkingDirectory },
        await sessionOf(services, scope, params),
      ),
    "session.metadata.setWorkingDirectory": async (
      params: ById & { workingDirectory: string },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      const workingDirectory = await checkWorkingDirectory(
        params.workingDirectory,
        "workingDirectory",
        services.runs.permissions.placeOf(session),
      );
      await moveSession(session, workingDirectory);
      services.onUpdated(session);
      await session.committed();
      return { workingDirectory };
    },
    "session.metadata.recordContextChange": async (
      params: ById & { context: SessionEventDataMap["session.context_changed"] },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      recordContext(session, services.runs, params.context);
      await session.committed();
      return {};
    },
    "session.metadata.getClientMetadata": async (params: ById, scope: Scope) =>
      (await sessionOf(services, scope, params)).state.clientMetadata ?? {},
    "session.metadata.updateClientMetadata": async (params: ById & ClientMetadataPatch, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const { clear, remove, set } = params;
      checkMetadataPatch(session.state.clientMetadata ?? {}, { clear, remove, set });
      session.record("rightseat.client_metadata", { clear, remove, set });
      const committed = session.state.clientMetadata ?? {};
      await session.committed();
      return committed;
    },
    "session.instructions.getSources": async (params: ById, scope: Scope) => ({
      sources: (await services.instructionsOf(await sessionOf(services, scope, params))).sources,
    }),
    "session.name.get": async (params: ById, scope: Scope) => ({
      name: nameOf(await sessionOf(services, scope, params)) ?? null,
    }),
    "session.name.set": async (params: ById & { name: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      renameSession(session, params.name);
      services.onUpdated(session);
      await session.committed();
      return null;
    },
    "session.name.setAuto": async (params: ById & { summary: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const title = cutText(params.summary.trim(), MAX_NAME_LENGTH);
      if (title === "" || session.state.name !== undefined) return { applied: false };
      session.record("rightseat.title_set", { title });
      session.emit("session.title_changed", { title });
      services.onUpdated(session);
      await session.committed();
      return { applied: true };
    },
  };
}
