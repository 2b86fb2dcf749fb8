/** What model calls used, as providers report it: in the log, against the tenant's limits, and in the metrics. */
import type { Instruments } from "../../../metrics/instruments.ts";
import type { ModelUsage } from "../../../models/model-provider.ts";
import type { Session } from "../../open/session.ts";
import type { UsageTotals } from "../../state/session-state.ts";

function toUsageTotals(usage: ModelUsage, apiDurationMs: number): Omit<UsageTotals, "requests"> {
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
  readonly instruments: Pick<Instruments, "modelCalled">;
}

export interface UsedByCall {
  readonly model: string;
  /** Undefined when the provider reported none: then there is nothing to count. */
  readonly usage: ModelUsage | undefined;
  readonly durationMs: number;
  /** Made beside the conversation, by a sub-agent or for a summary: it costs, and says nothing of the context. */
  readonly aside: boolean;
}

/** Every model call's usage goes through here or `recordLateUsage`, whoever made the call. */
export function recordUsage(services: UsageServices, session: Session, call: UsedByCall): void {
  count(services, session, call);
  record(session, call);
}

/**
 * For a call that its session may not have waited for. One that has ended meanwhile keeps no record of it;
 * the tenant has used it all the same. @throws RpcError `storage_unavailable`.
 */
export async function recordLateUsage(
  services: UsageServices,
  session: Session,
  call: UsedByCall,
): Promise<void> {
  count(services, session, call);
  if (session.closing) return;
  await session.wake();
  record(session, call);
  await session.committed();
}

function count({ places, instruments }: UsageServices, session: Session, call: UsedByCall): void {
  const { model, usage, durationMs } = call;
  if (!usage) return;
  const { tenant } = session.key;
  const { inputTokens, outputTokens, cacheReadTokens = 0, nanoAiu = 0 } = usage;
  places.tokensUsed(tenant, inputTokens + outputTokens);
  instruments.modelCalled({
    tenant,
    model,
    durationMs,
    inputTokens,
    outputTokens,
    cacheReadTokens,
    nanoAiu,
  });
}

function record(session: Session, { model, usage, durationMs, aside }: UsedByCall): void {
  if (!usage) return;
  session.record("rightseat.usage", {
    model,
    usage: toUsageTotals(usage, durationMs),
    ...(aside ? { aside: true as const } : {}),
  });
}
