/** Usage as a provider reports it, as the log keeps it. */
import type { ModelUsage } from "../models/model-provider.ts";
import type { Session } from "./session.ts";
import type { UsageTotals } from "./session-state.ts";

export function toUsageTotals(usage: ModelUsage, apiDurationMs: number): Omit<UsageTotals, "requests"> {
  return {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    cacheReadTokens: usage.cacheReadTokens ?? 0,
    cacheWriteTokens: usage.cacheWriteTokens ?? 0,
    reasoningTokens: usage.reasoningTokens ?? 0,
    apiDurationMs,
    ...(usage.nanoAiu ? { nanoAiu: usage.nanoAiu } : {}),
  };
}

export interface UsageServices {
  /** Counts what a tenant uses. */
  readonly places: { tokensUsed(tenant: string, tokens: number): void };
}

/** Records a call that was made beside the conversation: it costs, and says nothing of the context. */
export function recordUsageAside(
  services: UsageServices,
  session: Session,
  { model, usage, durationMs }: { model: string; usage: ModelUsage | undefined; durationMs: number },
): void {
  if (!usage) return;
  session.record("rightseat.usage", { model, usage: toUsageTotals(usage, durationMs), aside: true });
  services.places.tokensUsed(session.key.tenant, usage.inputTokens + usage.outputTokens);
}
