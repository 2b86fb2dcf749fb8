/** Whether what a tool wants is allowed, denied or to be asked, by all that has been settled before. */
import type { PermissionRule } from "@rightseat/protocol";
import type { PermissionAsk } from "../tools/tool.ts";
import { judgeManaged, type ManagedPolicy } from "./managed-policy.ts";
import { denials, isApproved as isApprovedByRules, isUrlApproved } from "./match-rule.ts";
import { pathsOf, pathsOutside } from "./paths.ts";
import type { PermissionPolicy } from "./policy.ts";
import { describeRule } from "./rule.ts";
import { coversUrl } from "./url-pattern.ts";

export interface DecisionInput {
  readonly policy: PermissionPolicy;
  readonly managed: ManagedPolicy | undefined;
  /** Absolute. */
  readonly workingDirectory: string;
  /** All that paths may be in without a question, besides those of the policy. Absolute. */
  readonly directories: readonly string[];
  /** What was approved for good, read when it may matter. */
  readonly kept: () => Promise<KeptApprovals>;
}

export interface KeptApprovals {
  readonly rules: readonly PermissionRule[];
  readonly urls: readonly string[];
  readonly directories: readonly string[];
}

export type Decision =
  | { readonly kind: "allowed" }
  /** `rules` as people read them, and as rules where they are some. */
  | { readonly kind: "denied"; readonly names: readonly string[]; readonly rules: readonly PermissionRule[] }
  | {
      readonly kind: "ask";
      /** Paths that are asked about for themselves: all else is allowed. Canonical, with how they were named. */
      readonly outside: ReadonlyMap<string, string>;
      /** A person must answer: neither rules nor modes do. */
      readonly managed: boolean;
    };

const ALLOWED: Decision = { kind: "allowed" };

export async function decide(ask: PermissionAsk, input: DecisionInput): Promise<Decision> {
  const { policy, managed } = input;
  const verdict = managed ? judgeManaged(managed, ask, input.workingDirectory) : undefined;
  if (verdict?.kind === "denied") return { kind: "denied", names: verdict.rules, rules: [] };
  const denying = denials(ask, policy.denied ?? []);
  if (denying.length > 0) return { kind: "denied", names: denying.map(describeRule), rules: denying };
  if (verdict?.kind === "ask") return { kind: "ask", outside: new Map(), managed: true };
  if (verdict?.kind === "allowed" || ask.skipPermission === true) return ALLOWED;
  if (policy.mode === "allow-all" && !managed?.bypassDisabled) return ALLOWED;
  return decideByApprovals(ask, input);
}

async function decideByApprovals(ask: PermissionAsk, input: DecisionInput): Promise<Decision> {
  const { policy } = input;
  const may = (allowed: boolean | undefined) => allowed === true && !input.managed?.bypassDisabled;
  if (may(policy.approveAllReads) && (ask.kind === "read" || ask.kind === "url")) return ALLOWED;
  const paths = may(policy.paths?.unrestricted) ? new Map<string, string>() : pathsOf(ask);
  if (may(policy.approveAllTools) && paths.size === 0) return ALLOWED;
  const kept = await input.kept();
  const approvedPaths = (policy.approvedPaths ?? []).filter(({ kind }) => kind === ask.kind);
  const asked = await pathsOutside(
    paths,
    approvedPaths.map(({ path }) => path),
  );
  if (paths.size > 0 && asked.size === 0 && ask.kind !== "shell") return ALLOWED;
  const outside = await pathsOutside(asked, [...input.directories, ...kept.directories]);
  const isApproved = may(policy.approveAllTools) || isToolApproved(ask, input, kept);
  if (isApproved && outside.size === 0) return ALLOWED;
  // A command that is asked about is shown whole, and its paths with it.
  const isAboutPaths = isApproved || ask.kind !== "shell";
  return { kind: "ask", outside: isAboutPaths ? outside : new Map(), managed: false };
}

function isToolApproved(
  ask: PermissionAsk,
  { policy, managed }: DecisionInput,
  kept: KeptApprovals,
): boolean {
  const rules = [...(policy.approved ?? []), ...kept.rules];
  const allowsUrl = (url: string) =>
    (policy.urls?.unrestricted === true && !managed?.bypassDisabled) ||
    isUrlApproved(url, rules) ||
    [...(policy.urls?.allowed ?? []), ...kept.urls].some((pattern) => coversUrl(pattern, url));
  if (ask.kind === "url") return allowsUrl(String(ask.url));
  if (!isApprovedByRules(ask, rules)) return false;
  // A command that was approved by name may not reach for any address with it.
  const urls = ask.kind === "shell" && Array.isArray(ask.possibleUrls) ? ask.possibleUrls : [];
  return urls.every((entry: { url: string }) => allowsUrl(entry.url));
}
