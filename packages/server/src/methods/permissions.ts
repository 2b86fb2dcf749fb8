/** Methods by which clients answer permission questions and settle them beforehand: `session.permissions.*`. */
import type { PermissionMode } from "@rightseat/protocol";
import { resolvedSettings } from "../session/abilities/permissions/managed-settings.ts";
import type { PermissionDecision } from "../session/abilities/permissions/permission-answer.ts";
import * as settings from "../session/abilities/permissions/permission-settings.ts";
import { checkFields } from "../session/members/field-rules.ts";
import { PERMISSION_FIELDS } from "../session/members/nested-fields.ts";
import { setWatchesPermissions } from "../session/open/clients.ts";
import { warnOfFields } from "../session/open/warn-of-fields.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

const DONE = { success: true };

export function permissionMethods(services: Services): Methods {
  const { permissions } = services.runs;
  return {
    "session.permissions.handlePendingPermissionRequest": async (
      params: ById & {
        requestId: string;
        result: PermissionDecision;
        decisionContext?: { source?: string };
      },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      const answer = { decision: params.result, source: params.decisionContext?.source };
      return { success: session.questions.answer("permission", params.requestId, answer) };
    },
    "session.permissions.pendingRequests": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return {
        items: session.questions.list("permission").map((question) => ({
          requestId: question.requestId,
          request: (question.event.event.data as { promptRequest: unknown }).promptRequest,
        })),
      };
    },
    "session.permissions.configure": async (
      params: ById & settings.PermissionConfiguration,
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      const unheard = checkFields("session.permissions.configure", params, PERMISSION_FIELDS);
      settings.configure(session, params);
      warnOfFields(session, scope.link, unheard);
      await session.committed();
      return DONE;
    },
    "session.permissions.setApproveAll": async (params: ById & { enabled: boolean }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      settings.setApproveAll(session, params.enabled);
      await session.committed();
      return DONE;
    },
    "session.managedSettings.get": async (params: ById, scope: Scope) =>
      resolvedSettings(await sessionOf(services, scope, params)),
    "session.permissions.getMode": async (params: ById, scope: Scope) => ({
      mode: settings.modeOf(await sessionOf(services, scope, params)),
    }),
    "session.permissions.setMode": async (params: ById & { mode: PermissionMode }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const success = settings.setMode(session, params.mode);
      await session.committed();
      return { success, mode: settings.modeOf(session) };
    },
    "session.permissions.modifyRules": async (params: ById & settings.RuleChange, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      await settings.modifyRules(permissions, session, params);
      await session.committed();
      return DONE;
    },
    "session.permissions.resetSessionApprovals": async (
      params: ById & { includeLocation?: boolean },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      settings.resetApprovals(session, params.includeLocation ?? true);
      await session.committed();
      return DONE;
    },
    "session.permissions.setRequired": async (params: ById & { required: boolean }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      setWatchesPermissions(session, scope.link, params.required);
      return DONE;
    },
    // What a client shows concerns nobody else here: there is no terminal to ring.
    "session.permissions.notifyPromptShown": async (params: ById, scope: Scope) => {
      await sessionOf(services, scope, params);
      return DONE;
    },
    "session.permissions.paths.list": async (params: ById, scope: Scope) =>
      settings.listPaths(permissions, await sessionOf(services, scope, params)),
    "session.permissions.paths.add": async (params: ById & { path: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      await settings.addDirectory(session, params.path);
      await session.committed();
      return DONE;
    },
    "session.permissions.paths.updatePrimary": async (params: ById & { path: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      await settings.setPrimaryDirectory(session, params.path);
      await session.committed();
      return DONE;
    },
    "session.permissions.paths.isPathWithinAllowedDirectories": async (
      params: ById & { path: string },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      return { allowed: await settings.isInAllowedDirectories(permissions, session, params.path) };
    },
    "session.permissions.paths.isPathWithinWorkspace": async (
      params: ById & { path: string },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      return { allowed: await settings.isInPrimaryDirectory(permissions, session, params.path) };
    },
    "session.permissions.urls.setUnrestrictedMode": async (
      params: ById & { enabled: boolean },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      settings.setUnrestrictedUrls(session, params.enabled);
      await session.committed();
      return DONE;
    },
    "session.permissions.locations.resolve": async (
      params: ById & { workingDirectory: string },
      scope: Scope,
    ) => {
      await sessionOf(services, scope, params);
      return settings.resolveLocation(
        params.workingDirectory,
        services.places.confinementOf(scope.principal.tenant),
      );
    },
    "session.permissions.locations.apply": async (
      params: ById & { workingDirectory: string },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      const applied = await settings.applyLocation(permissions, session, params.workingDirectory);
      await session.committed();
      return applied;
    },
    "session.permissions.locations.addToolApproval": async (
      params: ById & { locationKey: string; approval: settings.Approval },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      await settings.approveForLocation(permissions, session, params.locationKey, params.approval);
      await session.committed();
      return DONE;
    },
    "session.permissions.folderTrust.isTrusted": async (params: ById & { path: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      return { trusted: await settings.isTrusted(permissions, session, params.path) };
    },
    "session.permissions.folderTrust.addTrusted": async (params: ById & { path: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      await settings.trustFolder(permissions, session, params.path);
      return DONE;
    },
  };
}
