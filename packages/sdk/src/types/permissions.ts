/** Permissions: the requests of an agent, and the answers. */
import type {
  PermissionRequest as LoggedRequest,
  PermissionRequestedData as LoggedRequestData,
  PermissionRequestedEvent as LoggedRequestEvent,
  PermissionDecisionContext,
  PublishedMethods,
} from "@rightseat/protocol";

/** An action that an agent asks permission for; `kind` says which fields there are. */
export type PermissionRequest = LoggedRequest & {
  /** Managed policy wants a person to decide: do not approve it automatically. */
  readonly managedApprovalRequired?: boolean;
};

/** Context of a request. */
export type PermissionRequestedData = Omit<LoggedRequestData, "permissionRequest"> & {
  permissionRequest: PermissionRequest;
};

/** An agent asks whether it may. */
export type PermissionRequestedEvent = Omit<LoggedRequestEvent, "data"> & { data: PermissionRequestedData };

/** The decision; `no-result` leaves it to another client. */
export type PermissionRequestResult =
  | PublishedMethods["session.permissions.handlePendingPermissionRequest"]["params"]["result"]
  | { kind: "no-result" };

/** A decision, and how it came about. The context is for reports; it changes nothing. */
export interface AttributedPermissionResult {
  kind: "attributed";
  result: PermissionRequestResult;
  decisionContext: PermissionDecisionContext;
}

/** Decides on a request. A handler that throws is answered for with "nobody could be asked". */
export type PermissionHandler = (
  request: PermissionRequest,
  invocation: { sessionId: string; managedSettingsEnabled?: boolean },
) =>
  | Promise<PermissionRequestResult | AttributedPermissionResult>
  | PermissionRequestResult
  | AttributedPermissionResult;
