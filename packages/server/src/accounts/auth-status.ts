/** Who the server, or a session, is to GitHub: the wire's shape of an authentication status. */
import type { GitHubAccounts } from "./github-accounts.ts";

export interface AuthStatus {
  readonly isAuthenticated: boolean;
  readonly authType?: "token" | "env" | "gh-cli" | "user";
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
