/** A session's permissions: what was settled in it, where it may go, and what was approved for longer. */
import { resolve } from "node:path";
import { type Decision, decide, type KeptApprovals } from "../../../permissions/decide.ts";
import type { KeptPermissions } from "../../../permissions/kept-permissions.ts";
import type { PermissionPolicy } from "../../../permissions/policy.ts";
import type { Reach } from "../../../tools/reach.ts";
import type { PermissionAsk } from "../../../tools/tool.ts";
import type { Session } from "../../open/session.ts";
import type { Places } from "../workspace/places.ts";
import { workingDirectoryOf } from "../workspace/working-directory.ts";

/** Made once by the composition root. */
export interface PermissionServices {
  readonly defaultWorkingDirectory: string;
  /** Which paths the session may touch at all. */
  readonly placeOf: (session: Session) => { readonly places: Places; readonly reach: Reach };
  readonly tempDirectory: string;
  /** What was approved for longer than a session, of a tenant. */
  readonly kept: (tenant: string) => KeptPermissions;
  /** The folders that a session keeps for its tools. Absolute. */
  readonly ownDirectories: (session: Session) => readonly string[];
}

export function policyOf(session: Session): PermissionPolicy {
  return session.state.permissions ?? {};
}

/** Logged, so that what was settled holds after a crash, a sleep and a resume. */
export function changePolicy(session: Session, change: PermissionPolicy): void {
  session.record("rightseat.permissions_set", { policy: { ...policyOf(session), ...change } });
}

/** The directory that permissions are about. Absolute. */
export function primaryDirectoryOf(services: PermissionServices, session: Session): string {
  return policyOf(session).primaryDirectory ?? resolve(workingDirectoryOf(services, session));
}

/** Where tools may go without a question about the path. Absolute; some may not exist. */
export function allowedDirectoriesOf(services: PermissionServices, session: Session): string[] {
  const primary = primaryDirectoryOf(services, session);
  const { paths } = policyOf(session);
  const additional = (session.settings.additionalDirectories ?? []).map((path) => resolve(primary, path));
  const temporary = paths?.includeTempDirectory ? [services.tempDirectory] : [];
  const own = services.ownDirectories(session);
  return [...new Set([primary, ...additional, ...(paths?.directories ?? []), ...temporary, ...own])];
}

/** The place whose kept approvals count in a session: its repository, or its directory. */
export function locationKeyOf(services: PermissionServices, session: Session): string | undefined {
  const { locationKey } = policyOf(session);
  if (locationKey !== undefined) return locationKey ?? undefined;
  return session.state.context?.gitRoot ?? resolve(workingDirectoryOf(services, session));
}

export function decideFor(
  services: PermissionServices,
  session: Session,
  ask: PermissionAsk,
): Promise<Decision> {
  return decide(ask, {
    policy: policyOf(session),
    managed: session.settings.managed,
    workingDirectory: resolve(workingDirectoryOf(services, session)),
    directories: allowedDirectoriesOf(services, session),
    kept: () => keptFor(services, session),
  });
}

async function keptFor(services: PermissionServices, session: Session): Promise<KeptApprovals> {
  const kept = services.kept(session.key.tenant);
  await kept.refresh();
  const key = locationKeyOf(services, session);
  return {
    rules: key === undefined ? [] : kept.rulesOf(key),
    directories: key === undefined ? [] : kept.directoriesOf(key),
    urls: kept.urls,
  };
}
