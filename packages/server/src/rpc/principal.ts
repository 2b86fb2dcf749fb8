/** The identity behind a connection. */
export interface Principal {
  /** For logs: the name that the configuration, or a token's subject, gives. */
  readonly name: string;
  /** Sessions belong to a tenant; others cannot see them. */
  readonly tenant: string;
  readonly role: Role;
  /** Names the credential that admitted it, without the secret. Changes of the configuration are checked against it. */
  readonly credential: string;
  /** Data with which its gatekeeper can judge it again; never logged, never sent. */
  readonly evidence?: unknown;
  /** When the connection ends; milliseconds since 1970. */
  readonly expiresAtMs?: number;
}

/**
 * The rights of a principal in its tenant. An admin may do everything, including the server's own methods. A
 * user may do everything with its tenant's sessions. An observer may read them.
 */
export type Role = "admin" | "user" | "observer";

export const ROLES: readonly Role[] = ["observer", "user", "admin"];

/** Whether a role includes another one. */
export function includesRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** The tenant of a server that knows only one. */
export const DEFAULT_TENANT = "default";

/** The client that waits while its attempt to connect is judged. */
export interface Attempt {
  /** Other attempts from the same address have failed lately: this one is judged after that time. */
  onWait(waitMs: number): void;
  /** Nobody waits for the answer any more. */
  isGone(): boolean;
}

/** Decides whom a connection serves. */
export interface Gatekeeper {
  /** The principal of a client that brings nothing; undefined when it has to bring a token. */
  anonymous(): Principal | undefined;
  /**
   * The principal of this token; undefined refuses, without a word on why. An attempt whose client has gone when its turn
   * comes is not judged.
   * @throws RpcError `limit_exceeded` when too many attempts from the address wait to be judged.
   */
  admit(
    token: string | undefined,
    remoteAddress: string | undefined,
    attempt?: Attempt,
  ): Promise<Principal | undefined>;
}

export function isRole(value: unknown): value is Role {
  return ROLES.includes(value as Role);
}
