/** GitHub tokens that a session's clients give when they are asked, and that run out. */

import { RpcError } from "@rightseat/protocol";
import type { ClientLink } from "../../members/client-link.ts";
import type { Session } from "../../open/session.ts";
import { gitHubTokenLease } from "./github-token-lease.ts";

export interface TokenRequest {
  readonly registrationId: string;
  readonly host: string;
  readonly sessionId: string;
  readonly reason: "initial" | "refresh";
}

export interface GivenToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** A token with less than this left is replaced before it is used. */
const REFRESH_BEFORE_MS = 60 * 60_000;

/** @throws RpcError `authentication_failed` when the client gives none. */
export async function askForGitHubToken(link: ClientLink, request: TokenRequest): Promise<GivenToken> {
  let why = "it answered without a token";
  try {
    const answer = (await link.request("gitHubToken.getToken", request)) as {
      kind?: unknown;
      accessToken?: unknown;
      expiresIn?: unknown;
    } | null;
    if (answer?.kind === "cancelled") why = "it cancelled";
    if (answer?.kind === "token" && typeof answer.accessToken === "string") {
      const lifetimeMs = typeof answer.expiresIn === "number" ? answer.expiresIn * 1000 : 0;
      return { token: answer.accessToken.trim(), expiresAtMs: Date.now() + lifetimeMs };
    }
  } catch (error) {
    why = (error as Error).message;
  }
  throw new RpcError(
    "authentication_failed",
    `The client was asked for a GitHub token and gave none: ${why}`,
  );
}

/** What to wait for before the session's token is used; undefined when it is good, or nobody's to refresh. */
export function refreshedGitHubToken(session: Session, host: string): Promise<void> | undefined {
  const lease = gitHubTokenLease.of(session);
  if (!lease || lease.expiresAtMs - Date.now() > REFRESH_BEFORE_MS) return undefined;
  lease.refreshing ??= refresh(session, host).finally(() => {
    lease.refreshing = undefined;
  });
  return lease.refreshing;
}

/** Asks for another token, since this one was refused. @throws RpcError when no client gives one. */
export async function renewGitHubToken(session: Session, host: string): Promise<void> {
  const lease = gitHubTokenLease.of(session);
  if (lease && !lease.refreshing) gitHubTokenLease.set(session, { expiresAtMs: 0 });
  await refreshedGitHubToken(session, host);
}

/** Asks the clients that have a provider, one after the other. A token that is good yet does when all fail. */
async function refresh(session: Session, host: string): Promise<void> {
  const lease = gitHubTokenLease.of(session);
  let failure: unknown = new RpcError(
    "authentication_failed",
    "The session's GitHub token has run out, and no client that gives one is attached; resume the session with one",
  );
  for (const { link, gitHubTokenProvider } of session.attachments.values()) {
    if (gitHubTokenProvider === undefined) continue;
    try {
      const request = { registrationId: gitHubTokenProvider, host, sessionId: session.id } as const;
      const { token, expiresAtMs } = await askForGitHubToken(link, { ...request, reason: "refresh" });
      // Other credentials were installed meanwhile.
      if (gitHubTokenLease.of(session) !== lease) return;
      session.say({ gitHubToken: token }, link);
      gitHubTokenLease.set(session, { expiresAtMs });
      return;
    } catch (error) {
      failure = error;
    }
  }
  if (lease && lease.expiresAtMs > Date.now()) return;
  throw failure;
}
