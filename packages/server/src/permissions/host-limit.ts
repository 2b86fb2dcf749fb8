/**
 * The hosts that a session is kept to (`managedSettings.permissions.limitTo`). Nothing keeps a process of this machine
 * to some hosts, so a command runs only when it is known to reach none.
 */
import { isIP } from "node:net";
import { possibleCommandsOf } from "../tools/possible-commands.ts";
import type { PermissionAsk } from "../tools/tool.ts";

/** Names and addresses as URLs have them, and `*.example.com` for all below `example.com`. */
export type HostLimit = readonly string[];

const RULE = /^domain\((.+)\)$/i;
const NAME = /^(?:\*\.)?(?:[a-z\d_](?:[a-z\d_-]*[a-z\d_])?\.)*[a-z\d_](?:[a-z\d_-]*[a-z\d_])?\.?$/;

/** `Domain(host)`, the host a name, an address, or `*.` and a name; undefined for anything else. */
export function parseHost(rule: string): string | undefined {
  const host = RULE.exec(rule)?.[1]?.trim().toLowerCase();
  if (host === undefined) return undefined;
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) === 6) return hostOf(`http://[${bare}]`);
  if (isIP(bare) === 0 && !NAME.test(host)) return undefined;
  if (!host.startsWith("*.")) return hostOf(`http://${host}`);
  const below = hostOf(`http://${host.slice(2)}`);
  return below === undefined || isIP(below) !== 0 ? undefined : `*.${below}`;
}

/** Why the limits do not let it happen; undefined when they have nothing against it. All of them must admit a host. */
export function beyondLimits(limits: readonly HostLimit[], ask: PermissionAsk): string | undefined {
  if (limits.length === 0) return undefined;
  if (ask.kind === "url") {
    const host = hostOf(String(ask.url));
    const isWithin = host !== undefined && limits.every((limit) => limit.some((one) => covers(one, host)));
    return isWithin ? undefined : `managedSettings: limitTo does not name the host '${host ?? "of the URL"}'`;
  }
  if (ask.kind === "shell" && possibleCommandsOf(ask).staysLocal !== true)
    return "managedSettings: limitTo keeps the session to some hosts, and which the command would reach cannot be told";
  if (ask.kind === "mcp")
    return "managedSettings: limitTo keeps the session to some hosts, and which the MCP server would reach cannot be told";
  return undefined;
}

function covers(limit: string, host: string): boolean {
  return limit.startsWith("*.") ? host.endsWith(limit.slice(1)) && isIP(host) === 0 : limit === host;
}

/** Without the dot that ends a full name. */
function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, "") : undefined;
}
