/** Methods on what a session is called, where it works and what it is doing: `session.metadata.*`, `session.name.*`, … */

import { cutText } from "@rightseat/protocol";
import { activeAgents } from "../session/abilities/agents/active-agents.ts";
import { metadataSnapshot, nameOf } from "../session/abilities/workspace/metadata-snapshot.ts";
import {
  checkWorkingDirectory,
  moveSession,
  recordContext,
} from "../session/abilities/workspace/working-directory.ts";
import { announceChange, renameSession } from "../session/open/change-session.ts";
import type { Session } from "../session/open/session.ts";
import { checkMetadataPatch } from "../session/state/client-metadata.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

/** As of names that users give. */
const MAX_NAME_LENGTH = 100;

/** Whether something is under way that an abort would end. */
function isWorking(session: Session): boolean {
  return session.run !== undefined || (activeAgents.of(session)?.working ?? 0) > 0;
}

export function sessionMetadataMethods(services: Services) {
  const ofSession = withSession(services);
  return {
    "session.metadata.isProcessing": ofSession((session) => ({
      processing: isWorking(session),
    })),
    "session.metadata.activity": ofSession((session) => ({
      abortable: isWorking(session),
      hasActiveWork: session.busy,
    })),
    "session.metadata.snapshot": ofSession((session) =>
      metadataSnapshot(
        {
          catalogue: services.registry.store.catalogue,
          defaultWorkingDirectory: services.runs.defaultWorkingDirectory,
        },
        session,
      ),
    ),
    "session.metadata.setWorkingDirectory": ofSession(async (session, params) => {
      const workingDirectory = await checkWorkingDirectory(
        params.workingDirectory,
        "workingDirectory",
        services.runs.permissions.placeOf(session),
      );
      await moveSession(session, workingDirectory);
      announceChange(session);
      await session.committed();
      return { workingDirectory };
    }),
    "session.metadata.recordContextChange": ofSession(async (session, params) => {
      recordContext(session, services.runs, params.context);
      await session.committed();
      return {};
    }),
    "session.metadata.getClientMetadata": ofSession((session) => session.state.clientMetadata ?? {}),
    "session.metadata.updateClientMetadata": ofSession(async (session, params) => {
      const { clear, remove, set } = params;
      checkMetadataPatch(session.state.clientMetadata ?? {}, { clear, remove, set });
      session.record("rightseat.client_metadata", { clear, remove, set });
      const committed = session.state.clientMetadata ?? {};
      await session.committed();
      return committed;
    }),
    "session.instructions.getSources": ofSession(async (session) => ({
      sources: (await services.instructionsOf(session)).sources,
    })),
    "session.name.get": ofSession((session) => ({
      name: nameOf(session) ?? null,
    })),
    "session.name.set": ofSession(async (session, params) => {
      renameSession(session, params.name);
      announceChange(session);
      await session.committed();
      return null;
    }),
    "session.name.setAuto": ofSession(async (session, params) => {
      const title = cutText(params.summary.trim(), MAX_NAME_LENGTH);
      if (title === "" || session.state.name !== undefined) return { applied: false };
      session.record("rightseat.title_set", { title });
      session.emit("session.title_changed", { title });
      announceChange(session);
      await session.committed();
      return { applied: true };
    }),
  } satisfies Methods;
}
