/** How much tenants may do, and for how long what they leave is kept. */
import { Governor } from "../limits/governor.ts";
import { Retention } from "../limits/retention.ts";
import { StoredBytes } from "../limits/stored-bytes.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";
import type { Catalogue } from "../store/catalogue.ts";
import type { ServerContext } from "./server-context.ts";

export function createGovernor(
  { announcements, config, instruments, pace }: ServerContext,
  catalogue: Catalogue,
): Governor {
  const storedBytes = new StoredBytes((tenant) => catalogue.storedBytes(tenant), pace.storedBytesKeptMs);
  announcements.subscribe({ "session-deleted": ({ key }) => storedBytes.forget(key.tenant) });
  return new Governor({
    config: config.limits,
    mayStore: (tenant, bytes, maxBytes) => storedBytes.admits(tenant, bytes, maxBytes),
    onWaited: (ms) => instruments.waited(ms),
  });
}

/** Deletes sessions that are too old, until the node ends. */
export function startRetention(
  { announcements, logger, pace }: ServerContext,
  governor: Governor,
  registry: SessionRegistry,
): void {
  const retention = new Retention({
    catalogue: registry.store.catalogue,
    retentionDays: (tenant) => governor.limits(tenant).retentionDays,
    isOpen: (key) => registry.find(key) !== undefined,
    delete: (key) => registry.delete(key),
    onDeleted: (tenant, sessions) => logger.info("old sessions were deleted", { tenant, sessions }),
    onError: (error, tenant) => logger.warning("old sessions could not be deleted", { tenant, error }),
    lookMs: pace.retentionMs,
  });
  announcements.subscribe({ "node-stopping": () => retention.close() });
}
