/** How the server's own requests leave. */
import type { Config } from "../config/load-config.ts";
import { createProxiedFetch } from "../models/guarded-fetch.ts";
import type { Fetch } from "../models/model-provider.ts";
import { createProxies, type Proxies } from "../network/proxies.ts";

export interface Network {
  readonly proxies: Proxies | undefined;
  /** For the server's own requests, where they leave through a proxy. */
  readonly serverFetch: Fetch | undefined;
}

export function createNetwork(config: Config): Network {
  const proxies = config.proxies && createProxies(config.proxies);
  return { proxies, serverFetch: proxies && createProxiedFetch(proxies) };
}
