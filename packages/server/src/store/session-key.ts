import { cutText } from "@rightseat/protocol";
import { StoreError } from "./store-error.ts";

/** Names one session. The same `sessionId` under two tenants names two sessions. */
export interface SessionKey {
  readonly tenant: string;
  readonly sessionId: string;
}

/**
 * The right to write one session. Its generation grows each time the session changes hands. There is one holder at a
 * time; a write under an older generation is refused with a `StoreError` of kind `conflict`, however late it arrives.
 */
export interface Lease extends SessionKey {
  readonly generation: number;
}

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

/** Whether a tenant or a session may be called so in every store: safe as one segment of a path, and free on files. */
export function isValidName(name: string): boolean {
  return NAME.test(name) && !name.startsWith("sessions.index");
}

/** @throws StoreError `invalid-key`. Ids come from clients: this keeps them inside the store. */
export function assertValidKey(key: SessionKey): void {
  assertValidTenant(key.tenant);
  assertValidName("session id", key.sessionId);
}

/** @throws StoreError `invalid-key`. */
export function assertValidTenant(tenant: string): void {
  assertValidName("tenant", tenant);
}

function assertValidName(what: string, name: unknown): void {
  if (typeof name === "string" && isValidName(name)) return;
  const shown = typeof name === "string" ? JSON.stringify(cutText(name, 140)) : typeof name;
  throw new StoreError(
    "invalid-key",
    `invalid ${what}: expected 1 to 128 characters of A-Z a-z 0-9 . _ - with no leading dot and no ` +
      `leading "sessions.index", got ${shown}`,
  );
}

/** The refusal of a lease that holds no longer. */
export function notHeld(lease: Lease): StoreError {
  return new StoreError(
    "conflict",
    `session ${lease.sessionId} is not held under generation ${lease.generation}; open it again`,
  );
}
