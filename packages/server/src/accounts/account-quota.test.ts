import { expect, test } from "vitest";
import { quotaSnapshots } from "./account-quota.ts";

const account = (raw: Record<string, unknown>) => ({ login: "a", host: "https://github.com", raw });

test("a quota is told by what is used of it and when it begins anew", () => {
  const chat = { entitlement: 100, overage_count: 2, overage_permitted: true, percent_remaining: 75 };
  const unlimited = {
    unlimited: true,
    entitlement: 0,
    percent_remaining: 100,
    quota_reset_at: 1_800_000_000,
  };
  expect(
    quotaSnapshots(
      account({ quota_reset_date_utc: "2027-01-01T00:00:00Z", quota_snapshots: { chat, unlimited, odd: 1 } }),
    ),
  ).toEqual({
    chat: {
      isUnlimitedEntitlement: false,
      entitlementRequests: 100,
      usedRequests: 25,
      usageAllowedWithExhaustedQuota: true,
      remainingPercentage: 75,
      overage: 2,
      overageAllowedWithExhaustedQuota: true,
      resetDate: "2027-01-01T00:00:00Z",
    },
    unlimited: {
      isUnlimitedEntitlement: true,
      entitlementRequests: -1,
      usedRequests: 0,
      usageAllowedWithExhaustedQuota: false,
      remainingPercentage: 100,
      overage: 0,
      overageAllowedWithExhaustedQuota: false,
      resetDate: "2027-01-15T08:00:00.000Z",
    },
  });
});

test("an account without quotas has none", () => {
  expect(quotaSnapshots(account({}))).toEqual({});
  expect(quotaSnapshots(account({ quota_snapshots: [] }))).toEqual({});
});
