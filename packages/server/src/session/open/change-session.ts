/** Changes of a session that methods and slash commands make alike. */
import { RpcError } from "@rightseat/protocol";
import { patched, type SettingsPatch } from "../members/said-settings.ts";
import type { SessionSettings } from "../members/session-settings.ts";
import type { Session } from "./session.ts";

/** @throws RpcError `invalid_params` for a name of blanks. */
export function checkName(method: string, name: string): void {
  if (name.trim() === "")
    throw new RpcError("invalid_params", `${method}: name: expected a name that is not empty`, {
      path: "name",
    });
}

/** @throws as `checkName`. */
export function renameSession(session: Session, to: string): void {
  checkName("session.name.set", to);
  const name = to.trim();
  session.record("rightseat.name_set", { name });
  session.emit("session.title_changed", { title: name });
}

/** After its name, title, mode or model has changed: lists show it, and clients are told. */
export function announceChange(session: Session): void {
  session.updateSummary();
  session.announcements.announce("session-changed", { key: session.key });
}

/** @throws RpcError when what the settings ask for cannot be had. */
export type CheckSettings = (settings: SessionSettings) => Promise<void> | void;

/**
 * Checks the settings, and applies a change when those that were checked are those that hold. When others changed
 * them during the check, it checks again.
 * @param apply must say what changes before it awaits anything.
 * @throws what the check throws; nothing was applied then.
 */
export async function applyChecked<T>(
  session: Session,
  check: (settings: Readonly<SessionSettings>) => Promise<void> | void,
  apply: () => T,
): Promise<T> {
  for (;;) {
    const { settings } = session;
    await check(settings);
    if (session.settings === settings) return apply();
  }
}

export interface ModelChange {
  readonly modelId: string;
  readonly reasoningEffort?: string;
  readonly reasoningSummary?: string;
  readonly modelCapabilities?: SessionSettings["modelCapabilities"];
  /** Why it changed, when no user asked for it. */
  readonly cause?: string;
}

/** @throws RpcError when the model cannot be had. */
export async function switchModel(
  services: { readonly checkSettings: CheckSettings },
  session: Session,
  change: ModelChange,
): Promise<void> {
  await applyChecked(
    session,
    (settings) => services.checkSettings(patched(settings, modelPatch(settings, change))),
    () => applyModel(session, change),
  );
}

/**
 * The model by its provider's name as well, where a client names the provider: no other one's model goes for it.
 * @throws RpcError when the session has no such model.
 */
export function modelOfProvider(
  { settings }: Session,
  { modelId, providerId }: { readonly modelId: string; readonly providerId?: unknown },
): string {
  if (providerId === undefined || providerId === null) return modelId;
  const prefix = `${providerId}/`;
  const named = modelId.startsWith(prefix) ? modelId : `${prefix}${modelId}`;
  if (!settings.models?.some(({ provider, id }) => `${provider}/${id}` === named))
    throw new RpcError(
      "model_not_found",
      `session.model.switchTo: providerId: the session has no model '${modelId}' of a provider '${providerId}'`,
      { path: "providerId", model: modelId },
    );
  return named;
}

/** Whether it can be had shows with the next call. */
export function applyModel(session: Session, change: ModelChange): void {
  const { settings } = session;
  const patch = modelPatch(settings, change);
  session.append("session.model_change", {
    previousModel: settings.model,
    newModel: change.modelId,
    previousReasoningEffort: settings.reasoningEffort,
    reasoningEffort: change.reasoningEffort ?? settings.reasoningEffort,
    ...(change.cause !== undefined ? { cause: change.cause } : {}),
  });
  session.say(patch);
}

/** Holds for the model that the session has, and for those it is switched to without another. */
export function setReasoningEffort(session: Session, reasoningEffort: string): void {
  const modelId = session.settings.model;
  if (modelId !== undefined) applyModel(session, { modelId, reasoningEffort });
  else {
    session.record("rightseat.reasoning_effort_set", { reasoningEffort });
    session.say({ reasoningEffort });
  }
}

function modelPatch(settings: SessionSettings, change: ModelChange): SettingsPatch {
  const { modelId, reasoningEffort, reasoningSummary, modelCapabilities } = change;
  return {
    model: modelId,
    ...(reasoningEffort !== undefined ? { reasoningEffort } : {}),
    ...(reasoningSummary !== undefined ? { reasoningSummary } : {}),
    // What was known of one model says nothing of another.
    ...(modelCapabilities ? { modelCapabilities } : {}),
    ...(!modelCapabilities && modelId !== settings.model ? { modelCapabilities: null } : {}),
  };
}
