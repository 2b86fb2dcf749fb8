/**
 * Keeps requests on the public internet. What a name resolves to is checked where the socket asks for it, so that
 * it is the very address that is connected to: a name that resolves differently the next time gains nothing by it.
 */
import { lookup as systemLookUp } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { isPublicAddress } from "./public-address.ts";

export type LookUp = typeof systemLookUp;

/** The host is none that may be reached. */
export class ForbiddenAddressError extends Error {
  override readonly name: string = "ForbiddenAddressError";
  /** The host of the address, with the port when the whole address was seen. */
  readonly host: string;
  constructor(host: string, message: string) {
    super(message);
    this.host = host;
  }
}

export type Refuse = (host: string) => ForbiddenAddressError;

/** What of the rule is in the text of the address alone: IP addresses in all their spellings, and localhost. */
export function isPrivateByName(url: URL): boolean {
  const host = bareHost(url);
  return isIP(host) === 0 ? /(^|\.)localhost\.?$/i.test(host) : !isPublicAddress(host);
}

/** Hosts, or hosts with ports, with commas or blanks between. */
export function toHosts(list: string | undefined): string[] {
  return (list ?? "")
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((host) => host !== "");
}

/** Whether the operator named the host, or the host with its port. */
export function isNamed(url: URL, hosts: readonly string[]): boolean {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const bare = bareHost(url);
  const names = [url.hostname, bare, `${url.hostname}:${port}`];
  return hosts.some((host) => names.includes(host));
}

/** For sockets: gives addresses of the public internet alone. */
export function publicLookup(refuse: Refuse, lookUp: LookUp = systemLookUp): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (error, found) => {
      const addresses = error ? [] : found.filter(({ address }) => isPublicAddress(address));
      const [first] = addresses;
      if (error) callback(error, "", 0);
      else if (!first) callback(refuse(hostname), "", 0);
      else if (options.all) callback(null, addresses as never, 0);
      else callback(null, first.address, first.family);
    });
  };
}

/** IPv6 addresses are in brackets in URLs. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}
