import { join } from "node:path";
import { cutText } from "@rightseat/protocol";
import { type SessionKey, StoreError } from "../event-log.ts";

/**
 * Where things are under the home directory. The layout of the default tenant is the Copilot CLI's,
 * so that either can list and resume what the other wrote.
 */

export const defaultTenant = "default";
const validName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

export const eventsFileName = "events.jsonl";
export const indexFileName = "sessions.index.jsonl";

/** True for names that are safe as one path segment and are not used by the store itself. */
export function isValidName(name: string): boolean {
  return validName.test(name) && !name.startsWith("sessions.index");
}

/** @throws StoreError `invalid-key`. Ids come from clients: this keeps them inside the home. */
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

/** The directory that holds a tenant's sessions and its index. */
export function stateDirectory(home: string, tenant: string): string {
  // Joined as text: every append asks for these, and names are valid by now.
  return tenant === defaultTenant
    ? `${home}/session-state`
    : `${tenantsDirectory(home)}/${tenant}/session-state`;
}

/** Holds a directory for each tenant but the default one. */
export function tenantsDirectory(home: string): string {
  return `${home}/tenants`;
}

/** One session's own directory. The key must be valid. */
export function sessionDirectory(home: string, key: SessionKey): string {
  return `${stateDirectory(home, key.tenant)}/${key.sessionId}`;
}

/** The directory of the instances' sockets. */
export function runDirectory(home: string): string {
  return join(home, "run");
}
