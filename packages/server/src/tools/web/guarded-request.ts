/** One HTTP request of a model, which reaches the public internet and nothing else. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import {
  ForbiddenAddressError as Forbidden,
  isNamed,
  isPrivateByName,
  type LookUp,
  publicLookup,
} from "../../network/address-guard.ts";
import { type Proxies, seemsPrivate } from "../../network/proxies.ts";
import { isPublicAddress } from "../../network/public-address.ts";

export interface RequestLimits {
  /** Hosts, or hosts with ports, that may be reached wherever they are. */
  readonly privateHosts: readonly string[];
  readonly signal: AbortSignal;
  /** Where requests go that leave through one. */
  readonly proxies?: Proxies | undefined;
  /** How names are resolved; default as the system does. */
  readonly lookUp?: LookUp;
}

/** The address is none that models may reach. */
export class ForbiddenAddressError extends Forbidden {
  constructor(host: string) {
    super(
      host,
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
  if (!isNamed(url, privateHosts) && isPrivateByName(url)) throw new ForbiddenAddressError(url.host);
}

/** The response, whose body nobody has read. @throws the signal's reason, and what went wrong. */
export async function guardedRequest(url: URL, limits: RequestLimits): Promise<IncomingMessage> {
  assertFetchable(url, limits.privateHosts);
  const isFree = isNamed(url, limits.privateHosts);
  const isProxied = limits.proxies?.takes(url) === true;
  if (isProxied && !isFree && (await seemsPrivate(url, limits.lookUp)))
    throw new ForbiddenAddressError(url.host);
  const agent = isProxied ? await limits.proxies?.agentFor(url) : false;
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const request = send(url, {
      agent,
      signal: limits.signal,
      lookup:
        isFree || isProxied
          ? (limits.lookUp as never)
          : publicLookup((host) => new ForbiddenAddressError(host), limits.lookUp),
      headers: {
        accept: "text/html, text/markdown, text/plain, application/json, application/xml;q=0.9, */*;q=0.5",
        "accept-encoding": "gzip, br, deflate",
        "user-agent": "Mozilla/5.0 (compatible; Rightseat web_fetch)",
      },
    });
    request.once("socket", (socket) => {
      // Nothing has been sent by then. It cannot fail, unless the above has a hole.
      socket.once("connect", () => {
        if (!isFree && !isProxied && !isPublicAddress((socket as Socket).remoteAddress ?? ""))
          request.destroy(new ForbiddenAddressError(url.host));
      });
    });
    request.once("response", resolve);
    request.on("error", (error) => reject(limits.signal.aborted ? limits.signal.reason : error));
    request.end();
  });
}
