/**
 * Deletes what nobody has used for longer than its tenant keeps sessions. Looks when the server has
 * started and then every hour; a session that is open is never touched.
 */
import type { Catalogue } from "../store/catalogue.ts";
import type { SessionKey } from "../store/session-key.ts";

export interface RetentionOptions {
  readonly catalogue: Pick<Catalogue, "tenants" | "list">;
  /** Days; undefined for ever. */
  readonly retentionDays: (tenant: string) => number | undefined;
  readonly isOpen: (key: SessionKey) => boolean;
  readonly delete: (key: SessionKey) => Promise<boolean>;
  readonly onDeleted: (tenant: string, sessions: number) => void;
  readonly onError: (error: unknown, tenant: string | undefined) => void;
  /** Until the first look, and between two. Default: half a minute, and an hour. */
  readonly lookMs?: number;
}

const FIRST_LOOK_MS = 30_000;
const EVERY_MS = 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;

export class Retention {
  readonly #options: RetentionOptions;
  readonly #first: NodeJS.Timeout;
  readonly #interval: NodeJS.Timeout;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#first = setTimeout(() => void this.look(), options.lookMs ?? FIRST_LOOK_MS).unref();
    this.#interval = setInterval(() => void this.look(), options.lookMs ?? EVERY_MS).unref();
  }

  close(): void {
    clearTimeout(this.#first);
    clearInterval(this.#interval);
  }

  /** Deletes what is too old now. Never rejects: one tenant's trouble is not another's. */
  async look(nowMs: number = Date.now()): Promise<void> {
    const tenants = await this.#options.catalogue.tenants().catch((error: unknown) => {
      this.#options.onError(error, undefined);
      return [];
    });
    for (const tenant of tenants) {
      const days = this.#options.retentionDays(tenant);
      if (days === undefined) continue;
      await this.#clear(tenant, nowMs - days * DAY_MS).catch((error: unknown) =>
        this.#options.onError(error, tenant),
      );
    }
  }

  async #clear(tenant: string, beforeMs: number): Promise<void> {
    let deleted = 0;
    for (const { sessionId, modifiedTime } of await this.#options.catalogue.list(tenant)) {
      const key = { tenant, sessionId };
      if (!(Date.parse(modifiedTime) < beforeMs) || this.#options.isOpen(key)) continue;
      try {
        if (await this.#options.delete(key)) deleted += 1;
      } catch (error) {
        // In use by another process, most likely.
        this.#options.onError(error, tenant);
      }
    }
    if (deleted > 0) this.#options.onDeleted(tenant, deleted);
  }
}
