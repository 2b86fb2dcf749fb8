/** Methods by which clients answer permission questions and settle them beforehand: `session.permissions.*`. */
import type { PermissionPromptRequest } from "@rightseat/protocol";
import { resolvedSettings } from "../session/abilities/permissions/managed-settings.ts";
import * as settings from "../session/abilities/permissions/permission-settings.ts";
import { checkFields } from "../session/members/field-rules.ts";
import { PERMISSION_FIELDS } from "../session/members/nested-fields.ts";
import { setWatchesPermissions } from "../session/open/clients.ts";
import { warnOfFields } from "../session/open/warn-of-fields.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

const DONE = { success: true };

export function permissionMethods(services: Services) {
  const ofSession = withSession(services);
  const { permissions } = services.runs;
  return {
    "session.permissions.handlePendingPermissionRequest": ofSession((session, params) => {
      const answer = { decision: params.result, source: params.decisionContext?.source };
      return { success: session.questions.answer("permission", params.requestId, answer) };
    }),
    "session.permissions.pendingRequests": ofSession((session) => ({
      items: session.questions.list("permission").map((question) => ({
        requestId: question.requestId,
        request: (question.event.event.data as { promptRequest: PermissionPromptRequest }).promptRequest,
      })),
    })),
    "session.permissions.configure": ofSession(async (session, params, scope) => {
      const unheard = checkFields("session.permissions.configure", params, PERMISSION_FIELDS);
      settings.configure(session, params);
      warnOfFields(session, scope.link, unheard);
      await session.committed();
      return DONE;
    }),
    "session.permissions.setApproveAll": ofSession(async (session, params) => {
      settings.setApproveAll(session, params.enabled);
      await session.committed();
      return DONE;
    }),
    "session.managedSettings.get": ofSession((session) => resolvedSettings(session)),
    "session.permissions.getMode": ofSession((session) => ({
      mode: settings.modeOf(session),
    })),
    "session.permissions.setMode": ofSession(async (session, params) => {
      const success = settings.setMode(session, params.mode);
      await session.committed();
      return { success, mode: settings.modeOf(session) };
    }),
    "session.permissions.modifyRules": ofSession(async (session, params) => {
      await settings.modifyRules(permissions, session, params);
      await session.committed();
      return DONE;
    }),
    "session.permissions.resetSessionApprovals": ofSession(async (session, params) => {
      settings.resetApprovals(session, params.includeLocation ?? true);
      await session.committed();
      return DONE;
    }),
    "session.permissions.setRequired": ofSession((session, params, scope) => {
      setWatchesPermissions(session, scope.link, params.required);
      return DONE;
    }),
    // What a client shows concerns nobody else here: there is no terminal to ring.
    "session.permissions.notifyPromptShown": ofSession(() => DONE),
    "session.permissions.paths.list": ofSession((session) => settings.listPaths(permissions, session)),
    "session.permissions.paths.add": ofSession(async (session, params) => {
      await settings.addDirectory(session, params.path);
      await session.committed();
      return DONE;
    }),
    "session.permissions.paths.updatePrimary": ofSession(async (session, params) => {
      await settings.setPrimaryDirectory(session, params.path);
      await session.committed();
      return DONE;
    }),
    "session.permissions.paths.isPathWithinAllowedDirectories": ofSession(async (session, params) => ({
      allowed: await settings.isInAllowedDirectories(permissions, session, params.path),
    })),
    "session.permissions.paths.isPathWithinWorkspace": ofSession(async (session, params) => ({
      allowed: await settings.isInPrimaryDirectory(permissions, session, params.path),
    })),
    "session.permissions.urls.setUnrestrictedMode": ofSession(async (session, params) => {
      settings.setUnrestrictedUrls(session, params.enabled);
      await session.committed();
      return DONE;
    }),
    "session.permissions.locations.resolve": ofSession((_session, params, scope) =>
      settings.resolveLocation(
        params.workingDirectory,
        services.places.confinementOf(scope.principal.tenant),
      ),
    ),
    "session.permissions.locations.apply": ofSession(async (session, params) => {
      const applied = await settings.applyLocation(permissions, session, params.workingDirectory);
      await session.committed();
      return applied;
    }),
    "session.permissions.locations.addToolApproval": ofSession(async (session, params) => {
      await settings.approveForLocation(permissions, session, params.locationKey, params.approval);
      await session.committed();
      return DONE;
    }),
    "session.permissions.folderTrust.isTrusted": ofSession(async (session, params) => ({
      trusted: await settings.isTrusted(permissions, session, params.path),
    })),
    "session.permissions.folderTrust.addTrusted": ofSession(async (session, params) => {
      await settings.trustFolder(permissions, session, params.path);
      return DONE;
    }),
  } satisfies Methods;
}
