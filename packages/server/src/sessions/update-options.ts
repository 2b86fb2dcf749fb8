/** `session.options.update`: settings of a session changed while it is open. */

import { type SessionLimits, setSessionLimits } from "../session/abilities/context/session-limits.ts";
import {
  checkWorkingDirectory,
  moveSession,
  workingDirectoryOf,
} from "../session/abilities/workspace/working-directory.ts";
import type { ClientLink } from "../session/members/client-link.ts";
import { checkFields } from "../session/members/field-rules.ts";
import { patched, patchOf } from "../session/members/said-settings.ts";
import { OPTION_FIELDS } from "../session/members/session-fields.ts";
import type { SettingsParams } from "../session/members/session-settings.ts";
import { applyChecked, applyModel, setReasoningEffort } from "../session/open/change-session.ts";
import type { Session } from "../session/open/session.ts";
import { warnOfFields } from "../session/open/warn-of-fields.ts";
import type { JoinServices } from "./join-session.ts";

/** All of them or none. @throws RpcError for an option that is refused, or cannot be had. */
export async function updateOptions(
  services: Pick<JoinServices, "checkSettings" | "runs">,
  session: Session,
  link: ClientLink,
  params: SettingsParams,
): Promise<void> {
  const unheard = checkFields("session.options.update", params, OPTION_FIELDS);
  const { workingDirectory, ...rest } = params;
  const place = services.runs.permissions.placeOf(session);
  const directory =
    typeof workingDirectory === "string"
      ? await checkWorkingDirectory(workingDirectory, "workingDirectory", place)
      : undefined;
  await applyChecked(
    session,
    async (current) => {
      const wanted = patched(current, patchOf(current, rest));
      const cwd = directory ?? workingDirectoryOf(services.runs, session);
      await place.places.checkSettings(place.reach, wanted, cwd);
      // As with resume: a client that names no model need not bring the way to one.
      return services.checkSettings(rest.model === undefined ? { ...wanted, model: undefined } : wanted);
    },
    () => applyOptions(session, link, rest),
  );
  if (directory !== undefined) await moveSession(session, directory);
  const attachment = session.attachments.get(link);
  if (attachment && typeof params.enableStreaming === "boolean")
    session.attachments.set(link, { ...attachment, streaming: params.enableStreaming });
  if (params.sessionLimits !== undefined)
    setSessionLimits(session, params.sessionLimits as SessionLimits | null);
  warnOfFields(session, link, unheard);
  await session.committed();
}

function applyOptions(session: Session, link: ClientLink, params: SettingsParams): void {
  const { settings: before } = session;
  const { model, reasoningEffort, ...patch } = patchOf(before, params);
  session.say(patch, link);
  if (model && model !== before.model) {
    const { reasoningSummary, modelCapabilities } = session.settings;
    const effort = reasoningEffort ?? before.reasoningEffort;
    applyModel(session, { modelId: model, reasoningEffort: effort, reasoningSummary, modelCapabilities });
  } else if (reasoningEffort && reasoningEffort !== before.reasoningEffort)
    setReasoningEffort(session, reasoningEffort);
}
