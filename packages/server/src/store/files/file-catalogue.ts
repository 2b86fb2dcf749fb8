import { readdir } from "node:fs/promises";
import type { Catalogue, ListQuery, SessionSummary } from "../catalogue.ts";
import {
  assertValidKey,
  assertValidTenant,
  isValidName,
  type Lease,
  type SessionKey,
} from "../session-key.ts";
import { directorySize } from "./directory-size.ts";
import { isMissing, toStoreError } from "./errors.ts";
import type { FileHome } from "./file-home.ts";
import { defaultTenant, stateDirectory, tenantsDirectory } from "./layout.ts";

/** An index a tenant keeps listing away from the sessions' directories. */
export class FileCatalogue implements Catalogue {
  readonly #home: FileHome;

  constructor(home: FileHome) {
    this.#home = home;
  }

  setSummary(lease: Lease, summary: SessionSummary): void {
    this.#home.sessionOf(lease);
    this.#home.index(lease.tenant).set(summary);
  }

  async get(key: SessionKey): Promise<SessionSummary | undefined> {
    assertValidKey(key);
    return this.#home.guard("read the session index", () => this.#home.index(key.tenant).get(key.sessionId));
  }

  async list(tenant: string, query: ListQuery = {}): Promise<SessionSummary[]> {
    assertValidTenant(tenant);
    return this.#home.guard("list the sessions", () => this.#home.index(tenant).list(query));
  }

  async tenants(): Promise<string[]> {
    const names = await readdir(tenantsDirectory(this.#home.path)).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw toStoreError(error, "list the tenants");
    });
    return [defaultTenant, ...names.filter(isValidName)];
  }

  async storedBytes(tenant: string): Promise<number> {
    assertValidTenant(tenant);
    return this.#home.guard("measure what is stored", () =>
      directorySize(stateDirectory(this.#home.path, tenant)),
    );
  }
}
