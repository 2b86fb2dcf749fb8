import { join } from "node:path";
import type { SessionKey } from "../session-key.ts";

/**
 * Where things are under the home directory. The layout of the default tenant is the Copilot CLI's,
 * so that either can list and resume what the other wrote.
 */

export const defaultTenant = "default";

export const eventsFileName = "events.jsonl";
export const indexFileName = "sessions.index.jsonl";

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
