/**
 * One HTTP request that reaches the public internet and nothing else. What a name resolves to is checked
 * where the socket asks for it, so that it is the very address that is connected to: a name that resolves
 * differently the next time gains nothing by it.
 */
import { lookup as systemLookUp } from "node:dns";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { isPublicAddress } from "./public-address.ts";

export interface RequestLimits {
  /** Hosts, or hosts with ports, that may be reached wherever they are. */
  readonly privateHosts: readonly string[];
  readonly signal: AbortSignal;
  /** How names are resolved; default as the system does. */
  readonly lookUp?: typeof systemLookUp;
}

/** The address is none that models may reach. */
export class ForbiddenAddressError extends Error {
  override readonly name = "ForbiddenAddressError";
  constructor(host: string) {
    super(
      `${host} is not on the public internet. Loopback, private and link-local addresses cannot be fetched.`,
    );
  }
}

/** @throws when a model may not fetch it, as far as its text tells. */
export function assertFetchable(url: URL, privateHosts: readonly string[]): void {
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new Error(`Only http and https can be fetched, not ${url.protocol.slice(0, -1)}.`);
  if (url.username !== "" || url.password !== "")
    throw new Error("Addresses with a user name or password in them cannot be fetched.");
  if (isPrivateHost(url, privateHosts)) return;
  const host = bareHost(url);
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw new ForbiddenAddressError(url.host);
  if (/(^|\.)localhost\.?$/i.test(host)) throw new ForbiddenAddressError(url.host);
}

/** The response, whose body nobody has read. @throws the signal's reason, and what went wrong. */
export function guardedRequest(url: URL, limits: RequestLimits): Promise<IncomingMessage> {
  assertFetchable(url, limits.privateHosts);
  const isAllowed = isPrivateHost(url, limits.privateHosts) ? () => true : isPublicAddress;
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const request = send(url, {
      agent: false,
      signal: limits.signal,
      lookup: guardedLookup(isAllowed, limits.lookUp ?? systemLookUp),
      headers: {
        accept: "text/html, text/markdown, text/plain, application/json, application/xml;q=0.9, */*;q=0.5",
        "accept-encoding": "gzip, br, deflate",
        "user-agent": "Mozilla/5.0 (compatible; Rightseat web_fetch)",
      },
    });
    request.once("socket", (socket) => {
      // Nothing has been sent by then. It cannot fail, unless the above has a hole.
      socket.once("connect", () => {
        if (!isAllowed((socket as Socket).remoteAddress ?? ""))
          request.destroy(new ForbiddenAddressError(url.host));
      });
    });
    request.once("response", resolve);
    request.on("error", (error) => reject(limits.signal.aborted ? limits.signal.reason : error));
    request.end();
  });
}

function guardedLookup(isAllowed: (address: string) => boolean, lookUp: typeof systemLookUp): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (error, found) => {
      const addresses = error ? [] : found.filter(({ address }) => isAllowed(address));
      const [first] = addresses;
      if (error) callback(error, "", 0);
      else if (!first) callback(new ForbiddenAddressError(hostname), "", 0);
      else if (options.all) callback(null, addresses as never, 0);
      else callback(null, first.address, first.family);
    });
  };
}

function isPrivateHost(url: URL, privateHosts: readonly string[]): boolean {
  return privateHosts.some((host) => host === url.hostname || host === url.host || host === bareHost(url));
}

/** IPv6 addresses are in brackets in URLs. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}
