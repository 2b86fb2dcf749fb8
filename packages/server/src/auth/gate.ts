/**
 * The gate decides who is let in. Nobody has to say who they are on a server without any credentials; otherwise the
 * shared secret, a token of the config file, or a JSON Web Token of a trusted issuer.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { RpcError } from "@rightseat/protocol";
import { type Attempt, DEFAULT_TENANT, type Gatekeeper, type Principal } from "../rpc/principal.ts";
import type { AccessConfig } from "./access-config.ts";
import { AccessList } from "./access-list.ts";
import { type AttemptDelays, FailedAttempts } from "./failed-attempts.ts";
import { JwtRefused, JwtVerifier, looksLikeJwt } from "./jwt-verifier.ts";

export interface GateOptions {
  readonly sharedSecret: string | undefined;
  readonly access: AccessConfig;
  readonly onWarning: (message: string, fields: Record<string, unknown>) => void;
  /** Asks issuers for their keys; default the built-in one. */
  readonly fetch?: typeof globalThis.fetch;
  /** How long after a failure the next attempt from its address is judged; default: 100 ms to 5 s. */
  readonly attemptDelays?: AttemptDelays;
}

const ANYBODY: Principal = {
  name: "anybody",
  tenant: DEFAULT_TENANT,
  role: "admin",
  credential: "none",
};
const SHARED: Principal = { ...ANYBODY, name: "shared secret", credential: "shared" };

export class Gate implements Gatekeeper {
  readonly #secretDigest: Buffer | undefined;
  readonly #onWarning: GateOptions["onWarning"];
  readonly #failed: FailedAttempts;
  readonly #fetch: GateOptions["fetch"];
  #list: AccessList;
  #jwt: JwtVerifier;

  constructor(options: GateOptions) {
    this.#secretDigest = options.sharedSecret === undefined ? undefined : digest(options.sharedSecret);
    this.#onWarning = options.onWarning;
    this.#failed = new FailedAttempts(options.attemptDelays);
    this.#list = new AccessList(options.access.principals);
    this.#fetch = options.fetch;
    this.#jwt = new JwtVerifier(options.access.jwt, this.#fetch);
  }

  /** Whether anybody is let in. */
  get open(): boolean {
    return this.#secretDigest === undefined && this.#list.size === 0 && this.#jwt.size === 0;
  }

  get failedAttempts(): number {
    return this.#failed.total;
  }

  /** Takes a new configuration over. Whom it leaves out is found with `confirms`. */
  reload(access: AccessConfig): void {
    this.#list = new AccessList(access.principals);
    this.#jwt = new JwtVerifier(access.jwt, this.#fetch);
  }

  anonymous(): Principal | undefined {
    return this.open ? ANYBODY : undefined;
  }

  async admit(
    token: string | undefined,
    remoteAddress: string | undefined,
    attempt?: Attempt,
  ): Promise<Principal | undefined> {
    if (this.open) return ANYBODY;
    const onWait = (waitMs: number) => attempt?.onWait(waitMs);
    if (!(await this.#failed.turn(remoteAddress, onWait))) throw tooMany(this.#failed.longestMs);
    // Nobody learns anything of it: it holds nobody else up either.
    if (attempt?.isGone()) return undefined;
    const principal = await this.#find(token);
    if (!principal) this.#failed.count(remoteAddress);
    return principal;
  }

  /** Whether somebody who was admitted still would be. */
  confirms(principal: Principal, nowMs: number = Date.now()): boolean {
    if (principal.expiresAtMs !== undefined && principal.expiresAtMs <= nowMs) return false;
    if (principal.credential.startsWith("token:")) return this.#list.confirms(principal);
    if (principal.credential.startsWith("jwt:")) return this.#jwt.confirms(principal);
    return principal.credential === "shared" ? this.#secretDigest !== undefined : this.open;
  }

  async #find(token: string | undefined): Promise<Principal | undefined> {
    if (this.open) return ANYBODY;
    if (token === undefined) return undefined;
    // Digests are compared, so that neither the time taken nor the length tells anything of the secret.
    if (this.#secretDigest && timingSafeEqual(digest(token), this.#secretDigest)) return SHARED;
    const listed = this.#list.find(token, Date.now());
    if (listed || this.#jwt.size === 0 || !looksLikeJwt(token)) return listed;
    try {
      return await this.#jwt.verify(token);
    } catch (error) {
      if (!(error instanceof JwtRefused)) this.#onWarning("a JSON Web Token could not be checked", { error });
      else this.#onWarning("a JSON Web Token was refused", { why: error.message });
      return undefined;
    }
  }
}

function tooMany(retryAfterMs: number): RpcError {
  const message = `too many attempts to connect from this address wait for their turn; try again in ${retryAfterMs} ms`;
  return new RpcError("limit_exceeded", message, { limit: "connectionAttempts", retryAfterMs });
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
