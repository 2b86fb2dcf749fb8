/**
 * The `fetch` of providers that sessions bring: their addresses are a tenant's words, and the server stands in
 * networks that a tenant does not. Only the public internet is reached, unless the operator named the host.
 */
import {
  ForbiddenAddressError,
  isPrivateByName,
  type LookUp,
  publicLookup,
} from "../network/address-guard.ts";
import { type Proxies, seemsPrivate } from "../network/proxies.ts";
import { createHttpFetch, httpFetch } from "./late-fetch.ts";
import type { Fetch } from "./model-provider.ts";

export interface GuardedFetchOptions {
  /** Whether the address may be reached wherever it is. */
  readonly isFree: (url: URL) => boolean;
  /** How names are resolved; default as the system does. */
  readonly lookUp?: LookUp;
  /** Where requests go that leave through one. */
  readonly proxies?: Proxies;
}

/** A `fetch` that all sessions share; clients of one such may be kept under its name. */
export type SharedFetch = Fetch & { readonly sharedAs: string };

let made = 0;

export function createGuardedFetch({ isFree, lookUp, proxies }: GuardedFetchOptions): SharedFetch {
  const plain = proxies ? createHttpFetch({ proxies }) : httpFetch;
  // Connections of its own: one that was opened without the guard must not be used again with it.
  const guarded = createHttpFetch({ lookup: publicLookup(refusalOf, lookUp) });
  const fetch: Fetch = async (input, init) => {
    const url = new URL(typeof input === "string" || input instanceof URL ? input : input.url);
    if (isFree(url)) return plain(input, init);
    if (isPrivateByName(url)) throw refusalOf(url.host);
    if (proxies?.takes(url)) {
      if (await seemsPrivate(url, lookUp)) throw refusalOf(url.host);
      return plain(input, init);
    }
    return guarded(input, init);
  };
  return Object.assign(fetch, { sharedAs: `guarded-${++made}` });
}

/** The `fetch` of the server itself, through its proxies. */
export function createProxiedFetch(proxies: Proxies): SharedFetch {
  return Object.assign(createHttpFetch({ proxies }), { sharedAs: `proxied-${++made}` });
}

export function isShared(fetch: Fetch): fetch is SharedFetch {
  return "sharedAs" in fetch;
}

/** What is wrong, and what the operator can do about it. */
export function refusalOf(host: string): ForbiddenAddressError {
  return new ForbiddenAddressError(
    host,
    `${host} is not on the public internet, and this server has several tenants: a session's own provider may not be there. ` +
      `The server's operator can allow it: --provider-private-hosts ${host}, RIGHTSEAT_PROVIDER_PRIVATE_HOSTS, or 'providerPrivateHosts' in the config file.`,
  );
}
