import type { SessionKey } from "../session-key.ts";
import type { SessionFile } from "./session-file.ts";

/** The sessions that one instance holds. Two levels, so that no joined key is kept for each. */
export class SessionTable {
  readonly #tenants = new Map<string, Map<string, SessionFile>>();

  get(key: SessionKey): SessionFile | undefined {
    return this.#tenants.get(key.tenant)?.get(key.sessionId);
  }

  add(session: SessionFile): void {
    const sessions = this.#tenants.get(session.tenant);
    if (sessions) sessions.set(session.sessionId, session);
    else this.#tenants.set(session.tenant, new Map([[session.sessionId, session]]));
  }

  remove(session: SessionFile): void {
    const sessions = this.#tenants.get(session.tenant);
    if (sessions?.get(session.sessionId) !== session) return;
    sessions.delete(session.sessionId);
    if (sessions.size === 0) this.#tenants.delete(session.tenant);
  }

  all(): SessionFile[] {
    return [...this.#tenants.values()].flatMap((sessions) => [...sessions.values()]);
  }
}
