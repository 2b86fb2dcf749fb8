/**
 * Which store the servers of the tests keep sessions in: files, or memory where RIGHTSEAT_TEST_STORE says so. Servers on
 * the same home share what is in memory, as they share files: a session outlives a server that is started anew.
 */
import { join } from "node:path";
import { MemoryStorage } from "../../src/store/memory/memory-storage.ts";
import { createMemoryStore } from "../../src/store/memory/memory-store.ts";
import type { Store } from "../../src/store/store.ts";

export type StoreKind = "files" | "memory";

const wanted = process.env.RIGHTSEAT_TEST_STORE ?? "files";
if (wanted !== "files" && wanted !== "memory")
  throw new Error(`RIGHTSEAT_TEST_STORE: expected files or memory, got ${wanted}`);

export const STORE: StoreKind = wanted;

const storages = new Map<string, MemoryStorage>();

/** Undefined for the store that a server makes itself, of files. */
export function storeFor(home: string, kind: StoreKind = STORE): Store | undefined {
  if (kind === "files") return undefined;
  const storage = storages.get(home) ?? new MemoryStorage();
  storages.set(home, storage);
  return createMemoryStore({ storage, workingCopies: workingCopiesOf(home) });
}

/** Where the files of a session are on this machine. */
export function directoryOf(home: string, sessionId: string, tenant = "default", kind = STORE): string {
  if (kind === "memory") return join(workingCopiesOf(home), tenant, sessionId);
  return join(home, ...(tenant === "default" ? [] : ["tenants", tenant]), "session-state", sessionId);
}

function workingCopiesOf(home: string): string {
  return join(home, "working-copies");
}
