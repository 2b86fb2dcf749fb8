/** The policy that applications lay over a session when they create or resume it (`managedSettings`). */
import {
  type ManagedSettingsEnforcedEscalation,
  RpcError,
  type SessionEventDataMap,
  type SessionManagedSettings,
} from "@rightseat/protocol";
import {
  composeManaged,
  type ManagedPolicy,
  parseManagedSettings,
  writtenPolicy,
} from "../../../permissions/managed-policy.ts";
import type { SettingsParams } from "../../members/session-settings.ts";
import type { Session } from "../../open/session.ts";

/**
 * The policy that a client brings. It is not stored: who resumes brings it again, or does without.
 * @throws RpcError when it is not understood.
 */
export function managedPolicyOf(params: SettingsParams): ManagedPolicy | undefined {
  const given = params.managedSettings as SessionManagedSettings | null | undefined;
  return given ? parseManagedSettings(given) : undefined;
}

/** While other clients are attached, a newcomer can only make the policy stricter. */
export function joinedPolicy(
  standing: ManagedPolicy | undefined,
  brought: ManagedPolicy | undefined,
): ManagedPolicy | undefined {
  return standing && brought ? composeManaged(standing, brought) : (brought ?? standing);
}

/** Tells clients what holds, where something does. */
export function tellManagedSettings(session: Session): void {
  if (session.settings.managed) session.emit("session.managed_settings_resolved", resolvedSettings(session));
}

type Resolved = SessionEventDataMap["session.managed_settings_resolved"];

/** What holds in the session, of all that its clients brought. */
export function resolvedSettings({ settings: { managed } }: Session): Resolved {
  return {
    source: managed ? "client" : "none",
    serverManaged: false,
    deviceManaged: false,
    clientManaged: managed !== undefined,
    failClosed: false,
    bypassPermissionsDisabled: managed?.bypassDisabled ?? false,
    managedKeys: managed ? ["permissions"] : [],
    ...(managed ? { settings: { permissions: writtenPolicy(managed) } } : {}),
  };
}

/** @throws RpcError `denied_by_policy` when the session's policy forbids to turn questions off. */
export function refuseBypass(session: Session, escalation: ManagedSettingsEnforcedEscalation): void {
  if (!session.settings.managed?.bypassDisabled) return;
  const setting = "permissions.disableBypassPermissionsMode";
  const message = `The session's policy (${setting}) forbids to allow everything at once.`;
  session.emit("session.managed_settings_enforced", {
    action: "bypass_permissions_blocked",
    escalation,
    setting,
    failClosed: false,
    message,
  });
  throw new RpcError("denied_by_policy", message, { setting });
}
