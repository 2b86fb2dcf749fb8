/** Methods about a session's providers: `session.provider.*`. */
import { randomUUID } from "node:crypto";
import { type ProviderEndpoint, RpcError } from "@rightseat/protocol";
import { toQuota } from "../accounts/quota.ts";
import { checkFields } from "../session/members/field-rules.ts";
import { ADD_PROVIDERS_FIELDS } from "../session/members/nested-fields.ts";
import type { Session } from "../session/open/session.ts";
import { warnOfFields } from "../session/open/warn-of-fields.ts";
import { addProviders, syncProviders, withdrawModels } from "../sessions/add-providers.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";
import { tokenUsed } from "./session-auth.ts";
import { toWireModel } from "./wire-model.ts";

const GITHUB_API_VERSION = "2025-05-01";
const DEFAULT_COPILOT_API = "https://api.githubcopilot.com";

/** @throws RpcError when GitHub refuses the token or cannot be asked. */
async function accountOf(services: Services, token: string) {
  try {
    return await services.accounts.resolve(token);
  } catch (error) {
    throw new RpcError("authentication_failed", `the quota is not known: ${(error as Error).message}`);
  }
}

export function sessionAccountMethods(services: Services) {
  const ofSession = withSession(services);
  const endpoint = ofSession((session) => endpointOf(services, session));
  return {
    "session.provider.add": ofSession(async (session, params, scope) => {
      const unheard = checkFields("session.provider.add", params, ADD_PROVIDERS_FIELDS);
      await addProviders(services.join, session, scope.link, params);
      warnOfFields(session, scope.link, unheard);
      return { models: services.models.listOwn(params.models ?? []).map(toWireModel) };
    }),
    "session.provider.sync": ofSession(async (session, params, scope) => {
      const unheard = checkFields("session.provider.sync", params, ADD_PROVIDERS_FIELDS);
      const changed = await syncProviders(services.join, session, scope.link, params);
      warnOfFields(session, scope.link, unheard);
      await session.committed();
      return { models: services.models.listOwn(params.models ?? []).map(toWireModel), ...changed };
    }),
    "session.provider.withdraw": ofSession(async (session, params, scope) => {
      const withdrawn = await withdrawModels(services.join, session, scope.link, params.models);
      await session.committed();
      return withdrawn;
    }),
    "session.quota.get": ofSession(async (session) => {
      const token = tokenUsed(services, session);
      return toQuota(token === undefined ? undefined : await accountOf(services, token));
    }),
    "session.quota.refresh": ofSession(async (session) => {
      const token = tokenUsed(services, session);
      if (token !== undefined) services.accounts.forget(token);
      return toQuota(token === undefined ? undefined : await accountOf(services, token));
    }),
    "session.provider.getEndpoint": async (params, scope) => {
      if (!services.allowProviderEndpoint) {
        throw new RpcError(
          "not_supported",
          "session.provider.getEndpoint hands out credentials and is off; set COPILOT_ALLOW_GET_PROVIDER_ENDPOINT=true on the server to allow it",
        );
      }
      return endpoint(params, scope);
    },
  } satisfies Methods;
}

/** @throws RpcError `no_provider`. */
async function endpointOf(services: Services, session: Session): Promise<ProviderEndpoint> {
  const { provider } = session.settings;
  if (provider) {
    const apiKey = await services.models.keyOf(provider);
    return {
      type: provider.type ?? "openai",
      ...(provider.type === "anthropic" ? {} : { wireApi: provider.wireApi ?? "completions" }),
      baseUrl: provider.baseUrl,
      ...(apiKey !== undefined ? { apiKey } : {}),
      headers: provider.headers ?? {},
    };
  }
  const token = tokenUsed(services, session);
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
}
