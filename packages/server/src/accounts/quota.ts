/** What is left of a GitHub account's plan, in the shape of `session.quota.get`. */
import type { GitHubAccount } from "./github-accounts.ts";

const PLANS: readonly (readonly [part: string, tier: string])[] = [
  ["enterprise", "enterprise"],
  ["business", "business"],
  ["pro_plus", "pro_plus"],
  ["max", "max"],
  ["pro", "pro"],
  ["free", "free"],
  ["edu", "edu"],
];

/** Without an account there is a quota of nothing. */
export function toQuota(account: GitHubAccount | undefined) {
  const planTier = tierOf(account?.plan);
  const snapshots = snapshotsOf(account?.raw.quota_snapshots, account?.raw.quota_reset_date);
  return {
    snapshots,
    planTier,
    isFreeUser: planTier === "free",
    isTbbUser: false,
    premiumRequestsBillable: Object.values(snapshots).some((one) => one.overageAllowedWithExhaustedQuota),
    canSignupForCopilotFree: account?.raw.can_signup_for_limited === true,
    // These fields are about the interface of the Copilot CLI, which is not here.
    delegateAvailable: false,
    dynamicWorkflowsEnabled: false,
    dynamicWorkflowsUiVisible: false,
    modelCostColumnVisible: false,
  };
}

function tierOf(plan: string | undefined): string {
  return PLANS.find(([part]) => plan?.includes(part))?.[1] ?? "unknown";
}

function snapshotsOf(given: unknown, resetDate: unknown): Record<string, ReturnType<typeof toSnapshot>> {
  if (typeof given !== "object" || given === null) return {};
  const entries = Object.entries(given).filter(([, value]) => typeof value === "object" && value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, toSnapshot(value, resetDate)]));
}

/** @param of GitHub's record of one quota. */
function toSnapshot(of: Readonly<Record<string, unknown>>, resetDate: unknown) {
  const entitlement = numberOf(of.entitlement);
  const reset = typeof resetDate === "string" ? Date.parse(resetDate) : Number.NaN;
  return {
    entitlementRequests: entitlement,
    usedRequests: Math.max(0, entitlement - numberOf(of.remaining ?? of.quota_remaining)),
    remainingPercentage: numberOf(of.percent_remaining),
    isUnlimitedEntitlement: of.unlimited === true,
    overage: numberOf(of.overage_count),
    overageAllowedWithExhaustedQuota: of.overage_permitted === true,
    usageAllowedWithExhaustedQuota: of.unlimited === true || of.overage_permitted === true,
    ...(Number.isNaN(reset) ? {} : { resetDateEpochMs: reset }),
  };
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}
