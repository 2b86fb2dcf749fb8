/**
 * Requests on their way out through a company's proxy, where one is configured: which go through it, and the
 * agent that takes them. The library behind it is loaded with the first request that needs it.
 */
import { lookup as systemLookUp } from "node:dns";
import type { Agent } from "node:http";
import { BlockList, isIP } from "node:net";
import { isPrivateByName, type LookUp } from "./address-guard.ts";
import { isPublicAddress } from "./public-address.ts";

export interface ProxySettings {
  /** Takes requests of http, and of https. */
  readonly http?: URL;
  readonly https?: URL;
  /** As `NO_PROXY` has them: names with all that is below them, addresses, networks, `*`; with a port or without. */
  readonly exempt: readonly string[];
}

export interface Proxies {
  /** Whether the request goes through a proxy. Those to this machine never do. */
  takes(url: URL): boolean;
  /** @param url one that a proxy takes. */
  agentFor(url: URL): Promise<Agent>;
}

/** No names of the public internet, whoever resolves them: RFC 6762, RFC 8375, ICANN for "internal". */
const PRIVATE_NAMES = /(^|\.)(local|internal|localhost|home\.arpa)\.?$/;

export function createProxies(settings: ProxySettings): Proxies {
  const isExempt = createExemptions(settings.exempt);
  const agents = new Map<string, Promise<Agent>>();
  const proxyOf = (url: URL) => (url.protocol === "https:" ? settings.https : settings.http);
  return {
    takes: (url) => proxyOf(url) !== undefined && !isLoopback(url) && !isExempt(url),
    agentFor: (url) => {
      const proxy = proxyOf(url);
      if (!proxy) throw new Error(`no proxy takes requests of ${url.protocol}`);
      const known = agents.get(url.protocol);
      if (known) return known;
      const agent = makeAgent(url.protocol, proxy).catch((error: unknown) => {
        agents.delete(url.protocol);
        throw error;
      });
      agents.set(url.protocol, agent);
      return agent;
    },
  };
}

/**
 * Whether a host that a proxy would be asked for is not on the public internet, as far as can be told from here. A
 * name that only the proxy can resolve is the proxy's to judge, unless it is one of a private network by its form.
 */
export async function seemsPrivate(url: URL, lookUp: LookUp = systemLookUp): Promise<boolean> {
  if (isPrivateByName(url)) return true;
  const host = bareHost(url);
  if (isIP(host)) return !isPublicAddress(host);
  const addresses = await new Promise<readonly string[]>((resolve) =>
    lookUp(host, { all: true }, (error, found) => resolve(error ? [] : found.map(({ address }) => address))),
  );
  if (addresses.length > 0) return !addresses.every(isPublicAddress);
  return !host.includes(".") || PRIVATE_NAMES.test(host);
}

async function makeAgent(protocol: string, proxy: URL): Promise<Agent> {
  const options = { keepAlive: true };
  if (protocol === "https:") {
    const { HttpsProxyAgent } = await import("https-proxy-agent");
    return new HttpsProxyAgent(proxy, options);
  }
  const { HttpProxyAgent } = await import("http-proxy-agent");
  return new HttpProxyAgent(proxy, options);
}

function isLoopback(url: URL): boolean {
  const host = bareHost(url);
  return host === "localhost" || host.endsWith(".localhost") || host === "::1" || /^127\./.test(host);
}

function createExemptions(entries: readonly string[]): (url: URL) => boolean {
  const networks = new BlockList();
  const names: { name: string; port: string | undefined }[] = [];
  for (const entry of entries) {
    const network = /^\[?([^[\]]+)\]?\/(\d+)$/.exec(entry);
    if (network && isIP(network[1] as string))
      networks.addSubnet(network[1] as string, Number(network[2]), familyOf(network[1] as string));
    else names.push(splitPort(entry.toLowerCase()));
  }
  return (url) => {
    const host = bareHost(url);
    const port = url.port || (url.protocol === "https:" ? "443" : "80");
    if (isIP(host) && networks.check(host, familyOf(host))) return true;
    return names.some((named) => {
      if (named.port !== undefined && named.port !== port) return false;
      return named.name === "*" || host === named.name || host.endsWith(`.${named.name}`);
    });
  };
}

/** `.example.com` and `*.example.com` are `example.com`, with all that is below it. */
function splitPort(entry: string): { name: string; port: string | undefined } {
  const [, address, ofAddress] = /^\[(.+)\](?::(\d+))?$/.exec(entry) ?? [];
  if (address !== undefined) return { name: address, port: ofAddress };
  if (isIP(entry)) return { name: entry, port: undefined };
  const [, name = entry, port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  return { name: name === "*" ? name : name.replace(/^\*?\./, ""), port };
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/** IPv6 addresses are in brackets in URLs. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
}
