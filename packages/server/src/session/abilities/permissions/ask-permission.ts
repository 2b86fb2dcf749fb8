/** Asks whoever may allow a tool call, unless that was settled before, and turns the answer into a verdict. */
import { randomUUID } from "node:crypto";
import type { SessionEventDataMap } from "@rightseat/protocol";
import type { PendingToolCall } from "../../../agent/run-host.ts";
import type { Decision } from "../../../permissions/decide.ts";
import { pathsOf } from "../../../permissions/paths.ts";
import { promptRequestOf } from "../../../permissions/prompt-request.ts";
import { describeRule } from "../../../permissions/rule.ts";
import type { PermissionVerdict } from "../../../permissions/verdict.ts";
import type { Reach } from "../../../tools/reach.ts";
import type { PermissionAsk } from "../../../tools/tool.ts";
import type { Conversation } from "../../open/conversation.ts";
import {
  NOBODY_ANSWERED,
  type PermissionAnswer,
  type PermissionResult,
  settle,
  sourceOf,
} from "./permission-answer.ts";
import { decideFor, type PermissionServices } from "./permissions.ts";

/**
 * Every client is told, also those without a handler: an application may answer by a call. Resolves always: a
 * question that is cancelled or expires is a denial.
 */
export async function askPermission(
  services: PermissionServices,
  conversation: Conversation,
  ask: PermissionAsk,
  call: PendingToolCall,
  signal: AbortSignal,
): Promise<PermissionVerdict> {
  const { session } = conversation;
  const refusal = refusalOf(ask, services.placeOf(session).reach);
  if (refusal !== undefined) return { allowed: false, message: refusal };
  const decision = await decideFor(services, session, ask);
  if (decision.kind === "allowed") return ALLOWED;
  if (decision.kind === "denied") return deniedBy(decision.names);
  return askClients(services, conversation, { ...ask, toolCallId: call.toolCallId }, decision, signal);
}

async function askClients(
  services: PermissionServices,
  conversation: Conversation,
  ask: PermissionAsk & { readonly toolCallId: string },
  decision: Extract<Decision, { kind: "ask" }>,
  signal: AbortSignal,
): Promise<PermissionVerdict> {
  const { toolCallId } = ask;
  const { session } = conversation;
  const open = conversation.state.openToolCalls.find((candidate) => candidate.toolCallId === toolCallId);
  const asked = open?.permissionRequestId;
  const requestId = asked ?? randomUUID();
  const permissionRequest = decision.managed ? withManagedApproval(ask) : ask;
  const data = {
    requestId,
    permissionRequest,
    promptRequest: promptRequestOf(permissionRequest, [...decision.outside.values()]),
    agentMode: session.state.mode,
  } as unknown as SessionEventDataMap["permission.requested"];
  // Asked before a restart: clients that come are shown it again under the same id.
  const event = asked
    ? conversation.emit("permission.requested", data)
    : conversation.append("permission.requested", data);
  const outcome = await session.questions.ask<PermissionAnswer>(
    { requestId, kind: "permission", toolCallId, event },
    signal,
  );
  if (outcome.kind === "cancelled") return CANCELLED;
  const about = { ask, paths: [...decision.outside.keys()], managed: decision.managed };
  const result =
    outcome.kind === "answered"
      ? await settle(services, session, about, outcome.answer.decision)
      : NOBODY_ANSWERED;
  const source = outcome.kind === "answered" ? sourceOf(outcome.answer) : {};
  conversation.append("permission.completed", { requestId, toolCallId, result, ...source });
  return toVerdict(result);
}

/** What a person must decide each time cannot be offered for longer. */
function withManagedApproval(ask: PermissionAsk & { readonly toolCallId: string }) {
  const offer = ask.canOfferSessionApproval === undefined ? {} : { canOfferSessionApproval: false };
  const isKnown = ["shell", "read", "write", "url"].includes(ask.kind);
  return { ...ask, ...offer, ...(isKnown ? { managedApprovalRequired: true } : {}) };
}

/** What nobody can allow. A command is taken to change what it names. */
function refusalOf(ask: PermissionAsk, reach: Reach): string | undefined {
  for (const [canonical, named] of pathsOf(ask)) {
    const refusal = reach.refuses(canonical, ask.kind === "read" ? "read" : "write");
    if (refusal !== undefined) return `${named} cannot be used. ${refusal}`;
  }
  return undefined;
}

const ALLOWED: PermissionVerdict = { allowed: true, message: "" };
const CANCELLED: PermissionVerdict = {
  allowed: false,
  message: "The permission request was cancelled.",
};
/** The wording is what recorded conversations hold. */
const COULD_NOT_ASK = "Permission denied and could not request permission from user";

function deniedBy(names: readonly string[]): PermissionVerdict {
  const rules = names.length > 0 ? ` (${names.map((name) => `\`${name}\``).join(", ")})` : "";
  return { allowed: false, message: `This tool call is forbidden by the session's rules${rules}.` };
}

function toVerdict(result: PermissionResult): PermissionVerdict {
  switch (result.kind) {
    case "approved":
    case "approved-for-session":
    case "approved-for-location":
      return ALLOWED;
    case "denied-interactively-by-user": {
      const feedback = result.feedback ? ` They said: ${result.feedback}` : "";
      // Without a word on what to do instead, a rejection ends the run: the user has the floor.
      const endsRun = result.forceReject === true || feedback === "";
      return { allowed: false, message: `The user rejected this tool call.${feedback}`, endsRun };
    }
    case "denied-by-rules":
      return deniedBy(result.rules.map(describeRule));
    case "denied-by-content-exclusion-policy":
      return { allowed: false, message: `${result.path} is excluded by policy: ${result.message}` };
    case "denied-by-permission-request-hook":
      return {
        allowed: false,
        message: result.message ?? "A hook refused this tool call.",
        endsRun: result.interrupt === true,
      };
    case "cancelled":
      return CANCELLED;
    default:
      return { allowed: false, message: COULD_NOT_ASK };
  }
}
