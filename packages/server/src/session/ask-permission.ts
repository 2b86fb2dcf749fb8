/** Asks whoever may allow a tool call, and turns the answer into a verdict. */
import { randomUUID } from "node:crypto";
import type { SessionEventDataMap } from "@rightseat/protocol";
import type { PendingToolCall } from "../agent/run-host.ts";
import type { PermissionVerdict } from "../permissions/verdict.ts";
import type { PermissionAsk } from "../tools/tool.ts";
import type { Session } from "./session.ts";
import { hasParticipants } from "./session-settings.ts";

type PermissionResult = SessionEventDataMap["permission.completed"]["result"];

/** The client's decision as it comes over the wire; of other versions, so anything may be missing. */
export interface PermissionDecision {
  readonly kind: string;
  readonly feedback?: string;
  readonly message?: string;
  readonly approval?: unknown;
}

/** Resolves always: a question that is cancelled or expires is a denial. */
export async function askPermission(
  session: Session,
  ask: PermissionAsk,
  call: PendingToolCall,
  signal: AbortSignal,
): Promise<PermissionVerdict> {
  const standing = standingApproval(session, ask);
  if (standing) return standing;
  const open = session.state.openToolCalls.find((candidate) => candidate.toolCallId === call.toolCallId);
  const asked = open?.permissionRequestId;
  const requestId = asked ?? randomUUID();
  const permissionRequest = { ...ask, toolCallId: call.toolCallId };
  const data = {
    requestId,
    permissionRequest,
    promptRequest: permissionRequest,
  } as unknown as SessionEventDataMap["permission.requested"];
  // Asked before a restart: clients that come are shown it again under the same id.
  const event = asked
    ? session.emit("permission.requested", data)
    : session.append("permission.requested", data);
  const outcome = await session.questions.ask<PermissionDecision>(
    { requestId, kind: "permission", toolCallId: call.toolCallId, event },
    signal,
  );
  if (outcome.kind === "cancelled")
    return { allowed: false, message: "The permission request was cancelled." };
  const result = outcome.kind === "answered" ? toResult(outcome.answer) : NOBODY_ANSWERED;
  session.append("permission.completed", { requestId, toolCallId: call.toolCallId, result });
  return toVerdict(session, ask, result);
}

function standingApproval(session: Session, ask: PermissionAsk): PermissionVerdict | undefined {
  if (session.settings.approveAll) return ALLOWED;
  const toolName = ask.toolName;
  if (typeof toolName === "string" && session.approvedTools.has(toolName)) return ALLOWED;
  for (const attachment of session.attachments.values()) if (attachment.answersPermissions) return undefined;
  // With clients, none of which can be asked, nobody will ever answer; without any, one may come back.
  return hasParticipants(session.attachments) ? { allowed: false, message: COULD_NOT_ASK } : undefined;
}

const ALLOWED: PermissionVerdict = { allowed: true, message: "" };
/** The wording is what recorded conversations hold. */
const COULD_NOT_ASK = "Permission denied and could not request permission from user";
const NOBODY_ANSWERED: PermissionResult = { kind: "denied-no-approval-rule-and-could-not-request-from-user" };

function toResult(decision: PermissionDecision): PermissionResult {
  switch (decision.kind) {
    case "approve-once":
    case "approved":
      return { kind: "approved" };
    case "approve-for-session":
    case "approved-for-session":
      return { kind: "approved-for-session", approval: (decision.approval ?? {}) as never };
    case "approve-for-location":
    case "approved-for-location":
    case "approve-permanently":
      return { kind: "approved-for-session", approval: (decision.approval ?? {}) as never };
    case "reject":
    case "denied-interactively-by-user":
      return {
        kind: "denied-interactively-by-user",
        ...(decision.feedback ? { feedback: decision.feedback } : {}),
      };
    case "denied-by-rules":
      return { kind: "denied-by-rules", rules: [] };
    case "cancelled":
      return { kind: "cancelled" };
    default:
      return NOBODY_ANSWERED;
  }
}

function toVerdict(session: Session, ask: PermissionAsk, result: PermissionResult): PermissionVerdict {
  switch (result.kind) {
    case "approved":
      return ALLOWED;
    case "approved-for-session":
    case "approved-for-location":
      if (typeof ask.toolName === "string") session.approvedTools.add(ask.toolName);
      return ALLOWED;
    case "denied-interactively-by-user": {
      const feedback = "feedback" in result && result.feedback ? ` They said: ${result.feedback}` : "";
      // Without a word on what to do instead, a rejection ends the run: the user has the floor.
      return {
        allowed: false,
        message: `The user rejected this tool call.${feedback}`,
        endsRun: feedback === "",
      };
    }
    default:
      return { allowed: false, message: COULD_NOT_ASK };
  }
}
