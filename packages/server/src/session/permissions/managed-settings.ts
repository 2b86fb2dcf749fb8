/** The policy that applications lay over a session when they create or resume it (`managedSettings`). */
import {
  type ManagedSettingsEnforcedEscalation,
  RpcError,
  type SessionManagedSettings,
} from "@rightseat/protocol";
import {
  composeManaged,
  type ManagedPolicy,
  parseManagedSettings,
} from "../../permissions/managed-policy.ts";
import type { Session } from "../session.ts";
import type { SettingsParams } from "../settings/session-settings.ts";

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
export function tellManagedSettings(session: Session, params: SettingsParams): void {
  const { managed } = session.settings;
  if (!managed) return;
  session.emit("session.managed_settings_resolved", {
    source: "client",
    serverManaged: false,
    deviceManaged: false,
    clientManaged: true,
    failClosed: false,
    bypassPermissionsDisabled: managed.bypassDisabled,
    managedKeys: ["permissions"],
    settings: params.managedSettings,
  });
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
