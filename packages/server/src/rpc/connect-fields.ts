/** What clients say with `connect` besides their token, and what becomes of it. */
import { RpcError } from "@rightseat/protocol";

/** Fields that describe the client, and what it could be told: nothing here depends on them. */
const WITHOUT_CONSEQUENCE: ReadonlySet<string> = new Set([
  "token",
  "clientInfo",
  "supportedTaskKinds",
  "enableGitHubTelemetryForwarding",
]);
const MAX_REMEMBERED = 100;
const MAX_NAME_CHARS = 100;
/** Names that were told: a client says the same with each of its connections. */
const told = new Set<string>();

/** @throws RpcError `not_supported` for what asks for credentials that nobody would use. */
export function refuseConnectFields(params: unknown): void {
  const { entra } = (params ?? {}) as { entra?: unknown };
  if (entra === undefined || entra === null) return;
  throw new RpcError(
    "not_supported",
    "connect: the option 'entra' asks for credentials of Microsoft Entra, which the server cannot get; leave it out",
    { path: "entra" },
  );
}

/** Names of fields that are not known and were not told before. */
export function unknownConnectFields(params: unknown): string[] {
  const unknown: string[] = [];
  for (const key of Object.keys(params ?? {})) {
    const name = key.slice(0, MAX_NAME_CHARS);
    if (WITHOUT_CONSEQUENCE.has(key) || told.has(name) || told.size >= MAX_REMEMBERED) continue;
    told.add(name);
    unknown.push(name);
  }
  return unknown;
}
