/** The GitHub account of the server or of a session, as an authentication status on the wire. */
import type { GitHubAccounts } from "./github-accounts.ts";

export interface AuthStatus {
  readonly isAuthenticated: boolean;
  readonly authType?: "token" | "env" | "gh-cli" | "user" | "api-key";
  readonly host?: string;
  readonly login?: string;
  readonly copilotPlan?: string;
  readonly statusMessage?: string;
}

/** Never throws: a token that GitHub refuses, or cannot be asked about, is a status. */
export async function authStatus(
  accounts: GitHubAccounts,
  token: string | undefined,
  signal?: AbortSignal,
): Promise<AuthStatus> {
  if (token === undefined) return { isAuthenticated: false, statusMessage: "no GitHub token" };
  try {
    const account = await accounts.resolve(token, signal);
    return {
      isAuthenticated: true,
      authType: "token",
      host: account.host,
      login: account.login,
      ...(account.plan !== undefined ? { copilotPlan: account.plan } : {}),
      statusMessage: `signed in as ${account.login}`,
    };
  } catch (error) {
    return { isAuthenticated: false, statusMessage: (error as Error).message };
  }
}

/** Clients give up on a server that is not authenticated: one with models of its own is, by its provider's key. */
export async function serverAuthStatus(server: {
  readonly accounts: GitHubAccounts;
  readonly gitHubToken: string | undefined;
  readonly models: { readonly own: keyof typeof OWN_MODELS | undefined };
}): Promise<AuthStatus> {
  const status = await authStatus(server.accounts, server.gitHubToken);
  const { own } = server.models;
  if (status.isAuthenticated || own === undefined) return status;
  const gitHub = server.gitHubToken === undefined ? "" : `; GitHub: ${status.statusMessage}`;
  return { isAuthenticated: true, authType: "api-key", statusMessage: `${OWN_MODELS[own]}${gitHub}` };
}

const OWN_MODELS = {
  provider: "models are those of the server's own provider",
  demo: "the built-in demo model answers",
} as const;
