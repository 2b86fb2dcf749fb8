/** What a session is, as clients are shown it: the whole, and its workspace's part. */
import type { PublishedMethods } from "@rightseat/protocol";
import type { Catalogue } from "../../../store/catalogue.ts";
import type { Session } from "../../open/session.ts";
import { workingDirectoryOf } from "./working-directory.ts";

export interface SnapshotServices {
  readonly catalogue: Catalogue;
  readonly defaultWorkingDirectory: string;
}

/** A name that a user gave, or the title until there is one. */
export function nameOf(session: Session): string | undefined {
  return session.state.name ?? session.state.title;
}

/** The result of `session.metadata.snapshot`. */
export async function metadataSnapshot(
  services: SnapshotServices,
  session: Session,
): Promise<PublishedMethods["session.metadata.snapshot"]["result"]> {
  const { state, settings } = session;
  const workspacePath = session.directory;
  const modifiedTime = await modifiedTimeOf(services, session);
  const clientName = settings.clientName ?? state.clientName;
  const model = settings.model;
  return {
    sessionId: session.id,
    startTime: state.startTime,
    modifiedTime,
    isRemote: false,
    alreadyInUse: false,
    workspacePath,
    workingDirectory: workingDirectoryOf(services, session),
    currentMode: state.mode,
    sessionLimits: state.sessionLimits ?? null,
    workspace: workspaceDetails(services, session, modifiedTime),
    ...(clientName !== undefined ? { clientName } : {}),
    ...(state.title !== undefined ? { summary: state.title } : {}),
    ...(model !== undefined ? { selectedModel: model } : {}),
  };
}

/** ISO 8601. */
export async function modifiedTimeOf(services: SnapshotServices, session: Session): Promise<string> {
  return (await services.catalogue.get(session.key))?.modifiedTime ?? session.state.startTime;
}

/** The metadata of a session's workspace. */
export function workspaceDetails(services: SnapshotServices, session: Session, modifiedTime: string) {
  const { state } = session;
  const name = nameOf(session);
  return {
    id: session.id,
    cwd: workingDirectoryOf(services, session),
    ...(state.context?.gitRoot !== undefined ? { git_root: state.context.gitRoot } : {}),
    ...(state.context?.repository !== undefined ? { repository: state.context.repository } : {}),
    ...(state.context?.branch !== undefined ? { branch: state.context.branch } : {}),
    ...(name !== undefined ? { name } : {}),
    user_named: state.name !== undefined,
    created_at: state.startTime,
    updated_at: modifiedTime,
  };
}
