/** Which addresses are of the public internet. Whatever is not known to be is not. */
import { BlockList, isIPv4, isIPv6 } from "node:net";

/** Private, local, reserved, for documentation or for many at once: RFC 6890 and the IANA registry. */
const SPECIAL_V4 = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const)
  SPECIAL_V4.addSubnet(network, prefix, "ipv4");

/** Special parts of 2000::/3, the only range that is handed out: protocols' own, documentation, tunnels to any IPv4 address. */
const SPECIAL_V6 = new BlockList();
for (const [network, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  SPECIAL_V6.addSubnet(network, prefix, "ipv6");

/** @param address IPv4 or IPv6, as sockets and name servers spell it. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !SPECIAL_V4.check(address, "ipv4");
  const groups = isIPv6(address) && !address.includes("%") ? groupsOf(address) : undefined;
  if (!groups) return false;
  const [first = 0] = groups;
  const prefix = groups.slice(0, 6).join(":");
  // IPv4 in other clothes: mapped, and translated by a gateway (RFC 6052).
  if (prefix === "0:0:0:0:0:65535" || prefix === `${0x64}:${0xff9b}:0:0:0:0`)
    return isPublicAddress(toV4(groups));
  return first >> 13 === 1 && !SPECIAL_V6.check(address, "ipv6");
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = "", tail] = text.split("::");
  const parse = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [left, right] = [parse(head), parse(tail ?? "")];
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function toV4(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
