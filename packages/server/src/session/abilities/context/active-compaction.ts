/** A compaction in progress, as its session holds it. */

import type { SessionEventDataMap } from "@rightseat/protocol";
import type { ContextUse } from "../../../agent/context-use.ts";
import { Slot, type Slotted } from "../../open/slot.ts";

export type CompactionTrigger = NonNullable<SessionEventDataMap["session.compaction_start"]["trigger"]>;

export interface CompactionOutcome {
  readonly success: boolean;
  /** The use of the context afterwards. */
  readonly use: ContextUse;
  readonly messagesRemoved: number;
  readonly tokensRemoved: number;
  readonly tokenLimit: number;
  readonly summary?: string;
  /** Why there is no summary. */
  readonly error?: unknown;
}

export interface ActiveCompaction {
  readonly trigger: CompactionTrigger;
  readonly controller: AbortController;
  /** Never rejects. */
  readonly done: Promise<CompactionOutcome>;
}

/** The compaction in progress; it may outlast the run that it began beside. */
export const activeCompaction = new Slot<ActiveCompaction>();

/** Why a compaction was ended before its time. */
export class CompactionCancelled extends Error {
  constructor() {
    super("the compaction was cancelled");
    this.name = "CompactionCancelled";
  }
}

/** Ends a compaction, if there is one that it holds of; false when there is none. */
export async function cancelCompaction(
  session: Slotted,
  holds: (trigger: CompactionTrigger) => boolean = () => true,
): Promise<boolean> {
  const compaction = activeCompaction.of(session);
  if (!compaction || compaction.controller.signal.aborted || !holds(compaction.trigger)) return false;
  compaction.controller.abort(new CompactionCancelled());
  await compaction.done;
  return true;
}
