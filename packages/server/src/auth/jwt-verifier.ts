/**
 * JSON Web Tokens: which of the trusted issuers signed it, for whom, until when, and which tenant and
 * role that means. The library (jose) and an issuer's keys are loaded when the first such token comes.
 */

import { readFile } from "node:fs/promises";
import { cutText } from "@rightseat/protocol";
import type { JWTPayload, JWTVerifyGetKey } from "jose";
import { isRole, type Principal } from "../rpc/principal.ts";
import type { JwtIssuer } from "./access-config.ts";

/** How long an issuer may take to hand out its keys. */
const KEYS_TIMEOUT_MS = 5_000;
const TENANT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

/** What a token said, to judge it by a configuration that is read later. */
interface Evidence {
  readonly payload: JWTPayload;
  readonly algorithm: string;
  readonly jwks: string;
}

/** Why a token was refused: for the server's log, never for the client. */
export class JwtRefused extends Error {}

export function looksLikeJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
}

export class JwtVerifier {
  readonly #issuers: readonly JwtIssuer[];
  readonly #fetch: typeof globalThis.fetch | undefined;
  readonly #keys = new Map<string, Promise<JWTVerifyGetKey>>();

  /** @param fetch asks for keys that are at an address; default the built-in one. */
  constructor(issuers: readonly JwtIssuer[], fetch?: typeof globalThis.fetch) {
    this.#issuers = issuers;
    this.#fetch = fetch;
  }

  get size(): number {
    return this.#issuers.length;
  }

  /** @throws JwtRefused saying why, without the token. */
  async verify(token: string): Promise<Principal> {
    const jose = await import("jose");
    const issuer = this.#issuerOf(token, jose.decodeJwt);
    const keys = await this.#keysOf(issuer);
    let payload: JWTPayload;
    let algorithm: string;
    try {
      ({
        payload,
        protectedHeader: { alg: algorithm },
      } = await jose.jwtVerify(token, keys, {
        issuer: issuer.issuer,
        audience: issuer.audience as string | string[],
        algorithms: [...issuer.algorithms],
        clockTolerance: issuer.clockSkewSeconds,
        requiredClaims: ["exp"],
      }));
    } catch (error) {
      throw new JwtRefused(`of ${issuer.issuer}: ${(error as Error).message}`, { cause: error });
    }
    const evidence: Evidence = { payload, algorithm, jwks: issuer.jwks };
    return { ...toPrincipal(issuer, payload), evidence };
  }

  /** Whether the token would be admitted now, as the same tenant and with the same role. */
  confirms(principal: Principal): boolean {
    const evidence = principal.evidence as Evidence | undefined;
    const issuer = this.#issuers.find(({ issuer }) => principal.credential === `jwt:${issuer}`);
    if (!issuer || !evidence) return false;
    const { payload, algorithm, jwks } = evidence;
    if (issuer.jwks !== jwks || !issuer.algorithms.includes(algorithm)) return false;
    if (!listOf(payload.aud).some((audience) => listOf(issuer.audience).includes(audience))) return false;
    try {
      const now = toPrincipal(issuer, payload);
      return now.tenant === principal.tenant && now.role === principal.role;
    } catch (error) {
      if (error instanceof JwtRefused) return false;
      throw error;
    }
  }

  #issuerOf(token: string, decode: (token: string) => JWTPayload): JwtIssuer {
    let named: unknown;
    try {
      named = decode(token).iss;
    } catch (error) {
      throw new JwtRefused("it cannot be read", { cause: error });
    }
    const issuer = this.#issuers.find((candidate) => candidate.issuer === named);
    if (!issuer) throw new JwtRefused(`its issuer is not trusted: ${JSON.stringify(named)?.slice(0, 200)}`);
    return issuer;
  }

  #keysOf(issuer: JwtIssuer): Promise<JWTVerifyGetKey> {
    let keys = this.#keys.get(issuer.issuer);
    if (!keys) {
      keys = loadKeys(issuer.jwks, this.#fetch);
      this.#keys.set(issuer.issuer, keys);
      // A file that could not be read is tried again with the next token.
      keys.catch(() => this.#keys.delete(issuer.issuer));
    }
    return keys;
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return typeof value === "string" ? [value] : (value ?? []);
}

async function loadKeys(jwks: string, fetch: typeof globalThis.fetch | undefined): Promise<JWTVerifyGetKey> {
  const jose = await import("jose");
  if (/^https?:/.test(jwks))
    return jose.createRemoteJWKSet(new URL(jwks), {
      timeoutDuration: KEYS_TIMEOUT_MS,
      ...(fetch ? { [jose.customFetch]: fetch } : {}),
    });
  try {
    return jose.createLocalJWKSet(JSON.parse(await readFile(jwks, "utf8")));
  } catch (error) {
    throw new JwtRefused(`the issuer's keys cannot be read from ${jwks}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function toPrincipal(issuer: JwtIssuer, payload: JWTPayload): Principal {
  const tenant = issuer.tenantClaim === undefined ? issuer.tenant : payload[issuer.tenantClaim];
  if (typeof tenant !== "string" || !TENANT.test(tenant))
    throw new JwtRefused(`of ${issuer.issuer}: its claim '${issuer.tenantClaim}' does not name a tenant`);
  const claimed = issuer.roleClaim === undefined ? undefined : payload[issuer.roleClaim];
  if (claimed !== undefined && !isRole(claimed))
    throw new JwtRefused(`of ${issuer.issuer}: its claim '${issuer.roleClaim}' does not name a role`);
  return {
    name: typeof payload.sub === "string" ? cutText(payload.sub, 200) : issuer.issuer,
    tenant,
    role: claimed ?? issuer.role,
    credential: `jwt:${issuer.issuer}`,
    expiresAtMs: ((payload.exp as number) + issuer.clockSkewSeconds) * 1000,
  };
}
