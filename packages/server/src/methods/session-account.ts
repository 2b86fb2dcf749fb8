/** Methods about a session's accounts and providers: `session.gitHubAuth.*`, `session.provider.*`. */
import { randomUUID } from "node:crypto";
import { RpcError } from "@rightseat/protocol";
import { authStatus } from "../accounts/auth-status.ts";
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

const GITHUB_API_VERSION = "2025-05-01";
const DEFAULT_COPILOT_API = "https://api.githubcopilot.com";

export function sessionAccountMethods(services: Services): Methods {
  const tokenOf = async (params: ById, scope: Scope) =>
    (await sessionOf(services, scope, params)).settings.gitHubToken ?? services.gitHubToken;
  return {
    "session.gitHubAuth.getStatus": async (params: ById, scope: Scope) =>
      authStatus(services.accounts, await tokenOf(params, scope)),
    "session.provider.getEndpoint": async (params: ById, scope: Scope) => {
      if (!services.allowProviderEndpoint) {
        throw new RpcError(
          "not_supported",
          "session.provider.getEndpoint hands out credentials and is off; set COPILOT_ALLOW_GET_PROVIDER_ENDPOINT=true on the server to allow it",
        );
      }
      const session = await sessionOf(services, scope, params);
      const { provider } = session.settings;
      if (provider) {
        return {
          type: provider.type ?? "openai",
          ...(provider.type === "anthropic" ? {} : { wireApi: provider.wireApi ?? "completions" }),
          baseUrl: provider.baseUrl,
          ...(provider.apiKey !== undefined ? { apiKey: provider.apiKey } : {}),
          headers: provider.headers ?? {},
        };
      }
      const token = await tokenOf(params, scope);
      if (token === undefined)
        throw new RpcError("no_provider", "the session has neither a provider of its own nor a GitHub token");
      const account = await services.accounts.resolve(token);
      return {
        type: "openai",
        wireApi: "completions",
        baseUrl: services.copilotApiUrl ?? account.copilotApiUrl ?? DEFAULT_COPILOT_API,
        apiKey: token,
        headers: {
          Authorization: `Bearer ${token}`,
          "Copilot-Integration-Id": services.integrationId,
          "User-Agent": `Rightseat/${services.version} (Copilot SDK runtime)`,
          "X-GitHub-Api-Version": GITHUB_API_VERSION,
          "X-Interaction-Id": randomUUID(),
        },
      };
    },
  };
}
