/** The principals of the config file, found by the hash of the token that a client brings. */
import type { Principal, Role } from "../rpc/principal.ts";
import type { PrincipalEntry } from "./access-config.ts";
import { hashToken } from "./token.ts";

interface Entry {
  readonly name: string;
  readonly tenant: string;
  readonly role: Role;
  readonly expiresAtMs: number | undefined;
}

export class AccessList {
  readonly #byHash = new Map<string, Entry>();

  constructor(principals: readonly PrincipalEntry[]) {
    for (const { name, tenant, role, tokens } of principals) {
      for (const { sha256, expires } of tokens) {
        const expiresAtMs = expires === undefined ? undefined : Date.parse(expires);
        this.#byHash.set(sha256.toLowerCase(), { name, tenant, role, expiresAtMs });
      }
    }
  }

  get size(): number {
    return this.#byHash.size;
  }

  find(token: string, nowMs: number): Principal | undefined {
    const hash = hashToken(token);
    const entry = this.#byHash.get(hash);
    if (!entry || (entry.expiresAtMs !== undefined && entry.expiresAtMs <= nowMs)) return undefined;
    return { ...entry, credential: `token:${hash}` };
  }

  /** Whether the credential still stands for the same principal. */
  confirms(principal: Principal): boolean {
    const entry = this.#byHash.get(principal.credential.slice("token:".length));
    return entry !== undefined && entry.tenant === principal.tenant && entry.role === principal.role;
  }
}
