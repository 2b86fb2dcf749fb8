/** What a client answers to a permission question: how it is logged, and what it settles for later. */
import { isAbsolute } from "node:path";
import type { PermissionDecisionSource, SessionEventDataMap } from "@rightseat/protocol";
import { MAX_RULES } from "../../../permissions/policy.ts";
import { type Approval, addRules, rulesOf } from "../../../permissions/rule.ts";
import { isUrlPattern } from "../../../permissions/url-pattern.ts";
import type { PermissionAsk } from "../../../tools/tool.ts";
import type { Session } from "../../open/session.ts";
import { changePolicy, type PermissionServices, policyOf } from "./permissions.ts";

export type PermissionResult = SessionEventDataMap["permission.completed"]["result"];

/** The client's decision as it comes over the wire; of other versions, so anything may be missing. */
export interface PermissionDecision {
  readonly kind: string;
  readonly feedback?: string;
  readonly forceReject?: boolean;
  readonly message?: string;
  readonly reason?: string;
  readonly path?: string;
  readonly interrupt?: boolean;
  readonly rules?: readonly { readonly kind: string; readonly argument: string | null }[];
  readonly approval?: Approval;
  readonly domain?: string;
  readonly locationKey?: string;
  readonly directories?: readonly string[];
}

export interface PermissionAnswer {
  readonly decision: PermissionDecision;
  /** The one who decided, when the client says so. */
  readonly source?: string;
}

/** What a question was about, for an answer that allows more than the one call. */
export interface Asked {
  readonly ask: PermissionAsk;
  /** Paths that it was about for themselves; canonical. */
  readonly paths: readonly string[];
  /** A person must decide each time: nothing is settled for later. */
  readonly managed: boolean;
}

export const NOBODY_ANSWERED: PermissionResult = {
  kind: "denied-no-approval-rule-and-could-not-request-from-user",
};

const SOURCES: ReadonlySet<string> = new Set([
  "assisted_approval",
  "human_response",
  "host_policy",
  "unattended_fallback",
]);

export function sourceOf(answer: PermissionAnswer): { decisionSource?: PermissionDecisionSource } {
  const { source } = answer;
  return source !== undefined && SOURCES.has(source)
    ? { decisionSource: source as PermissionDecisionSource }
    : {};
}

/** Carries out what the decision settles, and says how the question ended. Does not throw. */
export async function settle(
  services: PermissionServices,
  session: Session,
  asked: Asked,
  decision: PermissionDecision,
): Promise<PermissionResult> {
  switch (decision.kind) {
    case "approve-once":
    case "approved":
      return { kind: "approved" };
    case "approve-for-session":
    case "approved-for-session":
      return asked.managed ? { kind: "approved" } : approveForSession(session, asked, decision);
    case "approve-read-only-for-session":
      return asked.managed ? { kind: "approved" } : approveReading(session, decision);
    case "approve-for-location":
    case "approved-for-location":
      return asked.managed ? { kind: "approved" } : approveForLocation(services, session, asked, decision);
    case "approve-permanently":
      return asked.managed ? { kind: "approved" } : approvePermanently(services, session, decision);
    default:
      return toDenial(decision);
  }
}

function approveForSession(session: Session, asked: Asked, decision: PermissionDecision): PermissionResult {
  const approval = decision.approval ?? approvalOf(asked);
  const added = approval ? rulesOf(approval) : [];
  const address = decision.domain ?? originOf(asked.ask);
  if (address !== undefined && isUrlPattern(address)) added.push({ kind: "url", argument: address });
  const policy = policyOf(session);
  const approved = addRules(policy.approved ?? [], added).slice(0, MAX_RULES);
  const paths = decision.approval === undefined ? asked.paths : [];
  const approvedPaths = [
    ...(policy.approvedPaths ?? []),
    ...paths.map((path) => ({ kind: asked.ask.kind, path })),
  ].slice(-MAX_RULES);
  if (added.length > 0 || paths.length > 0)
    changePolicy(session, { approved, ...(paths.length > 0 ? { approvedPaths } : {}) });
  return approval && isLoggable(approval) ? { kind: "approved-for-session", approval } : { kind: "approved" };
}

/** The directories may be read by tools for files, and nothing more. */
function approveReading(session: Session, { directories = [] }: PermissionDecision): PermissionResult {
  const read = directories
    .filter((path) => isAbsolute(path))
    .map((path) => ({ kind: "read" as const, path }));
  const approvedPaths = [...(policyOf(session).approvedPaths ?? []), ...read].slice(-MAX_RULES);
  if (read.length > 0) changePolicy(session, { approvedPaths });
  return { kind: "approved" };
}

async function approveForLocation(
  services: PermissionServices,
  session: Session,
  asked: Asked,
  decision: PermissionDecision,
): Promise<PermissionResult> {
  const approval = decision.approval ?? approvalOf(asked);
  const { locationKey } = decision;
  if (approval === undefined || locationKey === undefined || !isAbsolute(locationKey))
    return { kind: "approved" };
  const kept = services.kept(session.key.tenant);
  try {
    await kept.approve(locationKey, approval);
    countLocationAgain(session, locationKey);
    for (const path of asked.paths) await kept.allowDirectory(locationKey, path);
  } catch {
    // It could not be kept for others: it counts here.
    return approveForSession(session, asked, decision);
  }
  return isLoggable(approval)
    ? { kind: "approved-for-location", approval, locationKey }
    : { kind: "approved" };
}

/** Approving something for a location takes back that its approvals were set aside. */
export function countLocationAgain(session: Session, locationKey: string): void {
  if (policyOf(session).locationKey === null) changePolicy(session, { locationKey });
}

async function approvePermanently(
  services: PermissionServices,
  session: Session,
  { domain }: PermissionDecision,
): Promise<PermissionResult> {
  if (domain !== undefined && isUrlPattern(domain)) {
    try {
      await services.kept(session.key.tenant).allowUrl(domain);
    } catch {
      const approved = addRules(policyOf(session).approved ?? [], [{ kind: "url", argument: domain }]);
      changePolicy(session, { approved: approved.slice(0, MAX_RULES) });
    }
  }
  return { kind: "approved" };
}

/** An address is approved with all of its site. */
function originOf(ask: PermissionAsk): string | undefined {
  return ask.kind === "url" ? new URL(String(ask.url)).origin : undefined;
}

/** What the client means that names nothing: the like of what was asked. Paths and addresses are no approvals. */
function approvalOf({ ask, paths }: Asked): Approval | undefined {
  if (paths.length > 0) return undefined;
  switch (ask.kind) {
    case "shell": {
      const commands = ask.commands as readonly { identifier: string }[];
      return ask.canOfferSessionApproval === true
        ? { kind: "commands", commandIdentifiers: commands.map((command) => command.identifier) }
        : undefined;
    }
    case "read":
    case "write":
    case "memory":
      return { kind: ask.kind };
    case "custom-tool":
      return { kind: "custom-tool", toolName: String(ask.toolName) };
    case "mcp":
      return { kind: "mcp", serverName: String(ask.serverName), toolName: String(ask.toolName) };
    default:
      return undefined;
  }
}

type Loggable = Exclude<Approval, { kind: "mcp-sampling" }>;

/** Events have no shape for one kind of approval. */
function isLoggable(approval: Approval): approval is Loggable {
  return approval.kind !== "mcp-sampling";
}

function toDenial(decision: PermissionDecision): PermissionResult {
  const { feedback, forceReject, message, interrupt, reason, path, rules } = decision;
  switch (decision.kind) {
    case "reject":
    case "denied-interactively-by-user":
      return {
        kind: "denied-interactively-by-user",
        ...(feedback ? { feedback } : {}),
        ...(forceReject === undefined ? {} : { forceReject }),
      };
    case "denied-by-rules":
      return { kind: "denied-by-rules", rules: (rules ?? []).map((rule) => ({ ...rule })) };
    case "denied-by-content-exclusion-policy":
      return { kind: decision.kind, path: path ?? "", message: message ?? "" };
    case "denied-by-permission-request-hook":
      return {
        kind: decision.kind,
        ...(message === undefined ? {} : { message }),
        ...(interrupt === undefined ? {} : { interrupt }),
      };
    case "cancelled":
      return { kind: "cancelled", ...(reason === undefined ? {} : { reason }) };
    default:
      return NOBODY_ANSWERED;
  }
}
