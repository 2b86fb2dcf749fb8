/** Where a server is: what applications write, and what it means. */

export interface Address {
  readonly host: string;
  readonly port: number;
  /** The connection is encrypted. */
  readonly secure: boolean;
}

const SCHEME = /^(tcp|http|https|tls):\/\//i;

/**
 * Reads `4321`, `host:4321`, `http://host:4321` or `tcp://host:4321` (plain), `https://host:4321` or
 * `tls://host:4321` (encrypted). IPv6 goes in brackets.
 * @throws Error that says what was expected.
 */
export function parseAddress(text: string): Address {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase();
  const secure = scheme === "https" || scheme === "tls";
  const rest = text.replace(SCHEME, "").replace(/\/$/, "");
  if (/^\d+$/.test(rest)) return { host: "localhost", port: parsePort(rest, text), secure };
  const parts = /^(?:\[([^\]]+)\]|([^:/[\]]*)):([^:/]+)$/.exec(rest);
  if (!parts) {
    throw new Error(
      `Invalid cliUrl format: ${text}. Expected "host:port", "http://host:port", "https://host:port", "tls://host:port" or "port"`,
    );
  }
  return { host: parts[1] ?? (parts[2] || "localhost"), port: parsePort(parts[3] as string, text), secure };
}

/** Reads one address, a list, or several in one text with commas between. @throws Error when there is none. */
export function parseAddresses(given: string | readonly string[]): Address[] {
  const texts = (typeof given === "string" ? [given] : given)
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter((text) => text !== "");
  if (texts.length === 0) throw new Error(`Invalid cliUrl format: ${JSON.stringify(given)} names no server`);
  return texts.map(parseAddress);
}

export function toText({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function parsePort(digits: string, text: string): number {
  const port = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(port > 0 && port <= 65535)) throw new Error(`Invalid port in cliUrl: ${text}`);
  return port;
}
