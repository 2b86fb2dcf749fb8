/** What is left of an account's entitlement, by kind, in the shape of `account.getQuota`. */
import type { AccountQuotaSnapshot } from "@rightseat/protocol";
import type { GitHubAccount } from "./github-accounts.ts";

type Raw = Readonly<Record<string, unknown>>;

/** Empty where GitHub tells no quotas of the account. */
export function quotaSnapshots({ raw }: GitHubAccount): Record<string, AccountQuotaSnapshot> {
  const kinds = Object.entries(isObject(raw.quota_snapshots) ? raw.quota_snapshots : {});
  const snapshots = kinds.filter((entry): entry is [string, Raw] => isObject(entry[1]));
  return Object.fromEntries(snapshots.map(([kind, snapshot]) => [kind, toSnapshot(snapshot, raw)]));
}

function toSnapshot(snapshot: Raw, account: Raw): AccountQuotaSnapshot {
  const isUnlimited = snapshot.unlimited === true;
  const entitlement = numberOf(snapshot.entitlement) ?? 0;
  const remaining = numberOf(snapshot.percent_remaining) ?? (isUnlimited ? 100 : 0);
  const mayGoOn = snapshot.overage_permitted === true;
  const resetDate = resetDateOf(snapshot, account);
  return {
    isUnlimitedEntitlement: isUnlimited,
    entitlementRequests: isUnlimited ? -1 : entitlement,
    usedRequests: isUnlimited ? 0 : Math.max(0, Math.round((entitlement * (100 - remaining)) / 100)),
    usageAllowedWithExhaustedQuota: mayGoOn,
    remainingPercentage: remaining,
    overage: numberOf(snapshot.overage_count) ?? 0,
    overageAllowedWithExhaustedQuota: mayGoOn,
    ...(resetDate === undefined ? {} : { resetDate }),
  };
}

/** The reset date of the kind, or else of the account. Some answers have neither, and a time of their own. */
function resetDateOf(snapshot: Raw, account: Raw): string | undefined {
  const seconds = numberOf(snapshot.quota_reset_at);
  if (seconds !== undefined && seconds > 0 && seconds < 1e11) return new Date(seconds * 1000).toISOString();
  const dates = [account.quota_reset_date_utc, account.quota_reset_date, snapshot.timestamp_utc];
  return dates.find((date): date is string => typeof date === "string" && date !== "");
}

function isObject(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}
