/** Methods about who a session is to GitHub: `session.gitHubAuth.*`. */
import { type AuthStatus, authStatus } from "../accounts/auth-status.ts";
import {
  installCredentials,
  type SettableCredentials,
} from "../session/abilities/github/github-credentials.ts";
import type { Session } from "../session/open/session.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

/** How long installing credentials waits for GitHub to say whose they are. */
const ASK_MS = 3000;
const soon = () => AbortSignal.timeout(ASK_MS);

export function sessionAuthMethods(services: Services) {
  const ofSession = withSession(services);
  return {
    "session.gitHubAuth.getStatus": ofSession((session) => statusOf(services, session)),
    "session.gitHubAuth.getCurrentAuthInfo": ofSession((session) => identityOf(services, session)),
    "session.gitHubAuth.getAllAuthAvailable": ofSession(async (session) => {
      const status = await statusOf(services, session);
      return status.isAuthenticated ? [status] : [];
    }),
    "session.gitHubAuth.refreshCopilotUser": ofSession((session) => {
      const token = tokenUsed(services, session);
      if (token !== undefined) services.accounts.forget(token);
      return identityOf(services, session);
    }),
    "session.gitHubAuth.lastAuthErrors": ofSession(async (session) => {
      const token = tokenUsed(services, session);
      if (token === undefined) return [];
      const { isAuthenticated, statusMessage = "" } = await authStatus(services.accounts, token);
      return isAuthenticated ? [] : [{ message: statusMessage }];
    }),
    "session.gitHubAuth.setCredentials": ofSession(async (session, params, scope) => {
      const credentials: SettableCredentials | undefined = params.credentials;
      if (!credentials) return { success: true };
      const server = await authStatus(services.accounts, services.gitHubToken, soon());
      installCredentials(session, scope.link, credentials, server.login);
      const asked = credentials.token === undefined ? undefined : await statusOf(services, session, soon());
      const copilotUserResolved = credentials.copilotUser !== undefined || asked?.isAuthenticated === true;
      return { success: true, copilotUserResolved };
    }),
  } satisfies Methods;
}

/** The token that the session's model calls go out with, when they go to GitHub. */
export function tokenUsed(services: Services, { settings }: Session): string | undefined {
  return settings.gitHubToken ?? (settings.withoutServerToken ? undefined : services.gitHubToken);
}

/** What was installed is believed; GitHub is asked about the rest. */
async function statusOf(services: Services, session: Session, signal?: AbortSignal): Promise<AuthStatus> {
  const { gitHubIdentity: identity, gitHubToken } = session.settings;
  if (!identity) return authStatus(services.accounts, tokenUsed(services, session));
  const asked =
    gitHubToken !== undefined && !identity.copilotUser
      ? await authStatus(services.accounts, gitHubToken, signal)
      : undefined;
  if (asked && !asked.isAuthenticated) return { ...asked, authType: identity.type, host: identity.host };
  const login = identity.login ?? textOf(identity.copilotUser?.login) ?? asked?.login;
  const copilotPlan = textOf(identity.copilotUser?.copilot_plan) ?? asked?.copilotPlan;
  return {
    isAuthenticated: true,
    authType: identity.type,
    host: identity.host,
    ...(login !== undefined ? { login, statusMessage: `signed in as ${login}` } : {}),
    ...(copilotPlan !== undefined ? { copilotPlan } : {}),
  };
}

/** Null when nobody is signed in. */
async function identityOf(services: Services, session: Session) {
  const { gitHubIdentity } = session.settings;
  const { isAuthenticated, authType = "token", host, login } = await statusOf(services, session);
  if (!isAuthenticated || host === undefined) return null;
  const token = tokenUsed(services, session);
  const account =
    token === undefined ? undefined : await services.accounts.resolve(token).catch(() => undefined);
  const copilotUser = gitHubIdentity?.copilotUser ?? account?.raw;
  return {
    type: authType,
    host,
    ...(login !== undefined ? { login } : {}),
    ...(gitHubIdentity?.envVar !== undefined ? { envVar: gitHubIdentity.envVar } : {}),
    ...(copilotUser ? { copilotUser } : {}),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
