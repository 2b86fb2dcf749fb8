/** Usage as a provider reports it, as the log keeps it. */
import type { ModelUsage } from "../models/model-provider.ts";
import type { UsageTotals } from "./session-state.ts";

export function toUsageTotals(usage: ModelUsage, apiDurationMs: number): Omit<UsageTotals, "requests"> {
  return {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    cacheReadTokens: usage.cacheReadTokens ?? 0,
    cacheWriteTokens: usage.cacheWriteTokens ?? 0,
    reasoningTokens: usage.reasoningTokens ?? 0,
    apiDurationMs,
  };
}
