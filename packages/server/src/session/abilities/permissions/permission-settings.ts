/** What clients settle about a session's permissions without being asked: `session.permissions.*`. */
import { stat } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import {
  cutText,
  type PermissionLocationType,
  type PermissionMode,
  type PermissionPathsConfig,
  type PermissionRule,
  type PermissionRulesSet,
  type PermissionUrlsConfig,
  RpcError,
} from "@rightseat/protocol";
import { pathsOutside } from "../../../permissions/paths.ts";
import { MAX_RULES, type PermissionPolicy } from "../../../permissions/policy.ts";
import { type Approval, addRules, isSameRule } from "../../../permissions/rule.ts";
import { isUrlPattern } from "../../../permissions/url-pattern.ts";
import { canonicalPath } from "../../../tools/paths.ts";
import type { Confinement } from "../../members/confinement.ts";
import type { Session } from "../../open/session.ts";
import { resolveWorkingContext } from "../workspace/working-context.ts";
import { refuseBypass } from "./managed-settings.ts";
import { countLocationAgain } from "./permission-answer.ts";
import {
  allowedDirectoriesOf,
  changePolicy,
  locationKeyOf,
  type PermissionServices,
  policyOf,
  primaryDirectoryOf,
} from "./permissions.ts";

export type { Approval };

export interface PermissionConfiguration {
  readonly approveAllToolPermissionRequests?: boolean;
  readonly approveAllReadPermissionRequests?: boolean;
  readonly rules?: PermissionRulesSet;
  readonly paths?: PermissionPathsConfig;
  readonly urls?: PermissionUrlsConfig;
  readonly additionalContentExclusionPolicies?: readonly unknown[];
}

/** Replaces what is named and leaves the rest. All of it or nothing. @throws RpcError. */
export function configure(session: Session, wanted: PermissionConfiguration): void {
  const { rules, paths, urls } = wanted;
  if (wanted.approveAllToolPermissionRequests) refuseBypass(session, "approve_all");
  if (wanted.approveAllReadPermissionRequests || paths?.unrestricted)
    refuseBypass(session, "unrestricted_paths");
  if (urls?.unrestricted) refuseBypass(session, "unrestricted_urls");
  changePolicy(session, {
    ...withoutUndefined({
      approveAllTools: wanted.approveAllToolPermissionRequests,
      approveAllReads: wanted.approveAllReadPermissionRequests,
      approved: rules && checkedRules(rules.approved, "rules.approved"),
      denied: rules && checkedRules(rules.denied, "rules.denied"),
    }),
    ...(paths ? { paths: toPathPolicy(paths), approvedPaths: [] } : {}),
    ...(urls ? { urls: toUrlPolicy(urls) } : {}),
  });
}

export function setApproveAll(session: Session, enabled: boolean): void {
  if (enabled) refuseBypass(session, "approve_all");
  changePolicy(session, { approveAllTools: enabled });
}

/** Changes of files are asked about no more, in this session. */
export function approveEdits(session: Session): void {
  changePolicy(session, {
    approved: addRules(policyOf(session).approved ?? [], [{ kind: "write", argument: null }]),
  });
}

export function setUnrestrictedUrls(session: Session, unrestricted: boolean): void {
  if (unrestricted) refuseBypass(session, "unrestricted_urls");
  changePolicy(session, { urls: { allowed: policyOf(session).urls?.allowed ?? [], unrestricted } });
}

export function modeOf(session: Session): PermissionMode {
  return policyOf(session).mode ?? "manual";
}

/** False when the mode was not taken: this server has no model that judges requests, or policy forbids it. */
export function setMode(session: Session, mode: PermissionMode): boolean {
  const previousMode = modeOf(session);
  if (mode === "assisted") return false;
  try {
    if (mode === "allow-all") refuseBypass(session, "allow_all");
  } catch {
    return false;
  }
  if (mode !== previousMode) session.append("session.permissions_changed", { previousMode, mode });
  return true;
}

export interface RuleChange {
  readonly scope: "session" | "location";
  readonly add?: readonly PermissionRule[];
  readonly remove?: readonly PermissionRule[];
  readonly removeAll?: boolean;
}

/** @throws RpcError. */
export async function modifyRules(
  services: PermissionServices,
  session: Session,
  { scope, add = [], remove = [], removeAll }: RuleChange,
): Promise<void> {
  const added = checkedRules(add, "add");
  if (scope === "session") {
    const approved = addRules(policyOf(session).approved ?? [], added);
    const left = removeAll
      ? []
      : approved.filter((rule) => !remove.some((removed) => isSameRule(removed, rule)));
    changePolicy(session, { approved: checkedRules(left, "add") });
    return;
  }
  const key = locationKeyOf(services, session);
  if (key === undefined)
    throw new RpcError("invalid_params", "scope: the session has no location; apply one first", {
      path: "scope",
    });
  await services
    .kept(session.key.tenant)
    .changeRules(key, { add: added, remove: removeAll ? "all" : remove });
}

/** @param includeLocation whether what was kept for the location counts no more in this session. */
export function resetApprovals(session: Session, includeLocation: boolean): void {
  changePolicy(session, {
    approved: [],
    approvedPaths: [],
    ...(includeLocation ? { locationKey: null } : {}),
  });
}

export function listPaths(services: PermissionServices, session: Session) {
  return {
    directories: allowedDirectoriesOf(services, session),
    primary: primaryDirectoryOf(services, session),
  };
}

/** @throws RpcError when it is not the absolute path of a directory. */
export async function addDirectory(session: Session, path: string): Promise<void> {
  await assertDirectory(path);
  const { paths } = policyOf(session);
  const { unrestricted = false, includeTempDirectory = false, directories = [] } = paths ?? {};
  changePolicy(session, {
    paths: { unrestricted, includeTempDirectory, directories: bounded([...new Set([...directories, path])]) },
  });
}

/** @throws as `addDirectory`. */
export async function setPrimaryDirectory(session: Session, path: string): Promise<void> {
  await assertDirectory(path);
  changePolicy(session, { primaryDirectory: path });
}

export function isInAllowedDirectories(
  services: PermissionServices,
  session: Session,
  path: string,
): Promise<boolean> {
  if (policyOf(session).paths?.unrestricted && !session.settings.managed?.bypassDisabled)
    return Promise.resolve(true);
  return isInside(services, session, path, allowedDirectoriesOf(services, session));
}

export function isInPrimaryDirectory(
  services: PermissionServices,
  session: Session,
  path: string,
): Promise<boolean> {
  return isInside(services, session, path, [primaryDirectoryOf(services, session)]);
}

export interface PermissionLocation {
  readonly locationKey: string;
  readonly locationType: PermissionLocationType;
}

/** The repository that a directory belongs to, or the directory itself. @throws RpcError unless absolute. */
export async function resolveLocation(
  workingDirectory: string,
  confinement: Confinement | undefined,
): Promise<PermissionLocation> {
  assertAbsolute(workingDirectory, "workingDirectory");
  const { gitRoot } = await resolveWorkingContext(workingDirectory, confinement);
  return gitRoot === undefined
    ? { locationKey: resolve(workingDirectory), locationType: "dir" }
    : { locationKey: gitRoot, locationType: "repo" };
}

/** From now on the kept approvals of this place count in the session. */
export async function applyLocation(
  services: PermissionServices,
  session: Session,
  workingDirectory: string,
) {
  const location = await resolveLocation(workingDirectory, session.settings.confinement);
  const changed = locationKeyOf(services, session) !== location.locationKey;
  if (changed) changePolicy(session, { locationKey: location.locationKey });
  const kept = services.kept(session.key.tenant);
  await kept.refresh();
  const appliedRules = kept.rulesOf(location.locationKey).map((rule) => ({ ...rule }));
  const appliedDirectoryCount = kept.directoriesOf(location.locationKey).length;
  return { ...location, changed, appliedRules, appliedRuleCount: appliedRules.length, appliedDirectoryCount };
}

/** @throws RpcError unless the key is an absolute path, and when it could not be kept. */
export async function approveForLocation(
  services: PermissionServices,
  session: Session,
  locationKey: string,
  approval: Approval,
): Promise<void> {
  assertAbsolute(locationKey, "locationKey");
  await services.kept(session.key.tenant).approve(locationKey, approval);
  countLocationAgain(session, locationKey);
}

/** Whether a folder or one above it is trusted. */
export async function isTrusted(
  services: PermissionServices,
  session: Session,
  path: string,
): Promise<boolean> {
  const kept = services.kept(session.key.tenant);
  await kept.refresh();
  const own = session.settings.trustsWorkingDirectory ? [primaryDirectoryOf(services, session)] : [];
  return isInside(services, session, path, [...kept.trustedFolders, ...own]);
}

/** @throws as `addDirectory`, and when it could not be kept. */
export async function trustFolder(
  services: PermissionServices,
  session: Session,
  path: string,
): Promise<void> {
  await assertDirectory(path);
  await services.kept(session.key.tenant).trust(await canonicalPath(path));
}

async function isInside(
  services: PermissionServices,
  session: Session,
  path: string,
  directories: readonly string[],
): Promise<boolean> {
  if (path.includes("\0")) return false;
  const absolute = resolve(primaryDirectoryOf(services, session), path);
  const canonical = await canonicalPath(absolute).catch(() => absolute);
  return (await pathsOutside(new Map([[canonical, path]]), directories)).size === 0;
}

function toPathPolicy(paths: PermissionPathsConfig): NonNullable<PermissionPolicy["paths"]> {
  const named = [
    ...(paths.workspacePath === undefined ? [] : [paths.workspacePath]),
    ...(paths.additionalDirectories ?? []),
  ];
  for (const path of named) assertAbsolute(path, "paths");
  return {
    unrestricted: paths.unrestricted ?? false,
    includeTempDirectory: paths.includeTempDirectory ?? true,
    directories: bounded(named),
  };
}

function toUrlPolicy(urls: PermissionUrlsConfig): NonNullable<PermissionPolicy["urls"]> {
  const allowed = bounded(urls.initialAllowed ?? []);
  const wrong = allowed.find((pattern) => !isUrlPattern(pattern));
  if (wrong !== undefined) {
    throw new RpcError(
      "invalid_params",
      `urls.initialAllowed: expected addresses like example.com, *.example.com or https://example.com/docs, got ${JSON.stringify(cutText(wrong, 200))}`,
      { path: "urls.initialAllowed" },
    );
  }
  return { unrestricted: urls.unrestricted ?? false, allowed };
}

/** Only what a rule is made of, so that nothing else gets into the log. */
function checkedRules(rules: readonly PermissionRule[], path: string): readonly PermissionRule[] {
  if (rules.length > MAX_RULES) {
    throw new RpcError("invalid_params", `${path}: expected at most ${MAX_RULES} rules`, { path });
  }
  return addRules([], rules);
}

function bounded<T>(entries: readonly T[]): readonly T[] {
  if (entries.length <= MAX_RULES) return entries;
  throw new RpcError("invalid_params", `expected at most ${MAX_RULES} entries, got ${entries.length}`);
}

function assertAbsolute(path: string, name: string): void {
  if (isAbsolute(path) && !path.includes("\0")) return;
  throw new RpcError("invalid_params", `${name}: expected an absolute path, got ${JSON.stringify(path)}`, {
    path: name,
  });
}

async function assertDirectory(path: string): Promise<void> {
  assertAbsolute(path, "path");
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new RpcError(
    "invalid_params",
    `path: expected a directory that exists, got ${JSON.stringify(path)}`,
    { path: "path" },
  );
}

function withoutUndefined<T extends object>(object: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}
