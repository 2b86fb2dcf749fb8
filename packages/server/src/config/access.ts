/** Reads `auth` of the config file: who may connect. */
import type { AccessConfig, JwtIssuer, PrincipalEntry, TokenEntry } from "../auth/access-config.ts";
import { NO_ACCESS_CONFIG } from "../auth/access-config.ts";
import { ROLES } from "../rpc/principal.ts";
import { ConfigError } from "./config-error.ts";
import { Section } from "./sections.ts";

const TENANT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;
const TENANT_FORM = "1 to 128 characters of A-Z a-z 0-9 . _ - with no leading dot";
const SHA256 = /^[0-9a-fA-F]{64}$/;
/** Signatures that anybody can check and only the issuer can make. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;
const DEFAULT_CLOCK_SKEW_S = 30;

/** @throws ConfigError naming the setting, what was expected and what came. */
export function readAccess(value: unknown): AccessConfig {
  if (value === undefined) return NO_ACCESS_CONFIG;
  const section = new Section("auth", value, ["principals", "jwt"]);
  const principals = section.list("principals").map(readPrincipal);
  const seen = new Set<string>();
  for (const { sha256 } of principals.flatMap((principal) => principal.tokens)) {
    if (seen.has(sha256.toLowerCase()))
      throw new ConfigError(`auth.principals: the token with hash ${sha256} is given twice`);
    seen.add(sha256.toLowerCase());
  }
  return { principals, jwt: section.list("jwt").map(readIssuer) };
}

function readPrincipal(value: unknown, index: number): PrincipalEntry {
  const section = new Section(`auth.principals[${index}]`, value, ["name", "tenant", "role", "tokens"]);
  const tokens = section
    .list("tokens")
    .map((token, at) => readToken(`auth.principals[${index}].tokens[${at}]`, token));
  if (tokens.length === 0) throw section.fail("tokens", "at least one token", section.raw("tokens"));
  return {
    name: section.text("name", true),
    tenant: tenantOf(section, "tenant", true) as string,
    role: section.choice("role", ROLES) ?? "user",
    tokens,
  };
}

function readToken(where: string, value: unknown): TokenEntry {
  const section = new Section(where, value, ["sha256", "expires"]);
  const sha256 = section.text("sha256", true);
  if (!SHA256.test(sha256))
    // Not shown: somebody may have put the token itself there.
    throw new ConfigError(
      `${where}.sha256: expected 64 hexadecimal digits, as 'rightseat token' prints them`,
    );
  const expires = section.text("expires");
  if (expires !== undefined && Number.isNaN(Date.parse(expires)))
    throw section.fail("expires", "a time in ISO 8601", expires);
  return { sha256, ...(expires === undefined ? {} : { expires }) };
}

function readIssuer(value: unknown, index: number): JwtIssuer {
  const section = new Section(`auth.jwt[${index}]`, value, [
    "issuer",
    "audience",
    "jwks",
    "algorithms",
    "clockSkewSeconds",
    "tenantClaim",
    "tenant",
    "roleClaim",
    "role",
  ]);
  const tenantClaim = section.text("tenantClaim");
  const tenant = tenantOf(section, "tenant", false);
  if ((tenantClaim === undefined) === (tenant === undefined))
    throw new ConfigError(`${section.where}: expected either 'tenantClaim' or 'tenant', and not both`);
  return {
    issuer: section.text("issuer", true),
    audience: audienceOf(section),
    jwks: keysOf(section),
    algorithms: algorithmsOf(section),
    clockSkewSeconds: section.number("clockSkewSeconds") ?? DEFAULT_CLOCK_SKEW_S,
    ...(tenantClaim === undefined ? { tenant } : { tenantClaim }),
    ...(section.raw("roleClaim") === undefined ? {} : { roleClaim: section.text("roleClaim", true) }),
    role: section.choice("role", ROLES) ?? "user",
  };
}

function audienceOf(section: Section): string | readonly string[] {
  const audience = section.raw("audience");
  if (typeof audience === "string" && audience !== "") return audience;
  if (Array.isArray(audience) && audience.length > 0 && audience.every((name) => typeof name === "string"))
    return audience;
  throw section.fail("audience", "text, or a list of it", audience);
}

function keysOf(section: Section): string {
  const jwks = section.text("jwks", true);
  if (!/^[a-z]+:\/\//i.test(jwks)) return jwks;
  const url = URL.canParse(jwks) ? new URL(jwks) : undefined;
  const local = url !== undefined && ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url?.protocol === "https:" || (url?.protocol === "http:" && local)) return jwks;
  throw section.fail("jwks", "an https address, or the path of a file", jwks);
}

function algorithmsOf(section: Section): readonly string[] {
  if (section.raw("algorithms") === undefined) return ALGORITHMS;
  const named = section.list("algorithms");
  if (named.length > 0 && named.every((name) => ALGORITHMS.includes(name as (typeof ALGORITHMS)[number])))
    return named as string[];
  throw section.fail("algorithms", `some of ${ALGORITHMS.join(", ")}`, named);
}

function tenantOf(section: Section, key: string, needed: boolean): string | undefined {
  const tenant = section.text(key, needed as true);
  if (tenant === undefined || TENANT.test(tenant)) return tenant;
  throw section.fail(key, TENANT_FORM, tenant);
}
