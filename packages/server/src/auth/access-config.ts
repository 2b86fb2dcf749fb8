/** The part `auth` of the config file: who may connect. */
import type { Role } from "../rpc/principal.ts";

/** One accepted token, known by its hash alone. */
export interface TokenEntry {
  /** Hexadecimal SHA-256 of the token, as `rightseat token` prints it. */
  readonly sha256: string;
  /** ISO 8601; from then on the token is refused and its connections end. */
  readonly expires?: string;
}

export interface PrincipalEntry {
  readonly name: string;
  readonly tenant: string;
  readonly role: Role;
  /** Several at once, so that one can be replaced without a gap. */
  readonly tokens: readonly TokenEntry[];
}

/** An issuer of JSON Web Tokens that is trusted. */
export interface JwtIssuer {
  readonly issuer: string;
  readonly audience: string | readonly string[];
  /** Where its public keys are: an address (https, or http on this machine), or a file. */
  readonly jwks: string;
  readonly algorithms: readonly string[];
  readonly clockSkewSeconds: number;
  /** The claim that names the tenant; without one, every token is of `tenant`. */
  readonly tenantClaim?: string;
  readonly tenant?: string;
  /** The claim that names the role; without it, and for tokens that lack it, `role` counts. */
  readonly roleClaim?: string;
  readonly role: Role;
}

export interface AccessConfig {
  readonly principals: readonly PrincipalEntry[];
  readonly jwt: readonly JwtIssuer[];
}

export const NO_ACCESS_CONFIG: AccessConfig = { principals: [], jwt: [] };

/**
 * Whether several may be connected who are not one and the same: what one names, another pays for. Everybody who
 * brings the shared secret, or nothing to an open server, is one.
 */
export function isShared({ principals, jwt }: AccessConfig, sharedSecret: string | undefined): boolean {
  return jwt.length > 0 || principals.length + (sharedSecret === undefined ? 0 : 1) > 1;
}
