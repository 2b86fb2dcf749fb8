/** What the suites of the store's parts share. For tests only; nothing in production imports it. */
import { afterEach, expect } from "vitest";
import type { SessionSummary } from "../catalogue.ts";
import type { EventLog, StoredLine } from "../event-log.ts";
import type { SessionKey } from "../session-key.ts";
import type { Store } from "../store.ts";

/** Two stores over the same storage, as two processes would have them. */
export interface ContractStore {
  readonly store: Store;
  readonly other: Store;
  /** Closes what is not closed, and removes the storage. */
  dispose(): Promise<void>;
}

export type Make = () => Promise<ContractStore>;

/** What is made in a test is disposed of after it. To be called within a `describe`. */
export function disposing(make: Make): Make {
  const stores: ContractStore[] = [];
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.dispose()));
  });
  return async () => {
    const store = await make();
    stores.push(store);
    return store;
  };
}

export const key: SessionKey = { tenant: "default", sessionId: "s-1" };

export function summaryOf(sessionId: string, more: Partial<SessionSummary> = {}): SessionSummary {
  const startTime = "2025-01-01T00:00:00.000Z";
  return { sessionId, startTime, modifiedTime: startTime, ...more };
}

export async function readAll(
  log: EventLog,
  of: SessionKey,
  range?: { from?: number; to?: number },
): Promise<StoredLine[]> {
  const lines: StoredLine[] = [];
  for await (const batch of log.read(of, range)) lines.push(...batch);
  return lines;
}

export const jsonOf = (lines: readonly StoredLine[]) => lines.map((line) => line.json);
export const failsAs = (kind: string) => expect.objectContaining({ name: "StoreError", kind });
