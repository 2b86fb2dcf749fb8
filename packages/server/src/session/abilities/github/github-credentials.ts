/** The GitHub account of a session, when a client set it after the session was made. */

import { RpcError } from "@rightseat/protocol";
import type { ClientLink } from "../../members/client-link.ts";
import type { GitHubIdentity } from "../../members/github-identity.ts";
import type { Session } from "../../open/session.ts";
import { gitHubTokenLease } from "./github-token-lease.ts";

/** `SettableAuthInfo` of api.schema.json. */
export interface SettableCredentials {
  readonly type: string;
  readonly host: string;
  readonly login?: string;
  readonly envVar?: string;
  readonly copilotUser?: Readonly<Record<string, unknown>>;
  readonly token?: string;
}

const TYPES: ReadonlySet<string> = new Set(["token", "env", "gh-cli", "user"]);

/**
 * Takes effect with the next model call. Credentials that name a user and bring no token take the server's
 * own token away from the session, unless it is the same user's.
 * @param serverLogin whose the server's own token is.
 * @throws RpcError `not_supported` for credentials of a kind that this server does not use.
 */
export function installCredentials(
  session: Session,
  link: ClientLink,
  credentials: SettableCredentials,
  serverLogin: string | undefined,
): void {
  const { type, host, login, envVar, copilotUser, token } = credentials;
  if (!TYPES.has(type)) {
    throw new RpcError(
      "not_supported",
      `session.gitHubAuth.setCredentials: credentials of type '${type}' are not used by this server; give a token, or a provider with its key`,
      { path: "credentials.type" },
    );
  }
  const identity: GitHubIdentity = {
    type: type as GitHubIdentity["type"],
    host,
    ...(login !== undefined ? { login } : {}),
    ...(envVar !== undefined ? { envVar } : {}),
    ...(copilotUser !== undefined ? { copilotUser } : {}),
  };
  const patch = {
    gitHubIdentity: identity,
    gitHubToken: token?.trim() ?? null,
    withoutServerToken: token === undefined && login !== serverLogin,
  };
  session.say(patch, link);
  gitHubTokenLease.set(session, undefined);
}
