/** Methods about the server itself: `ping`, `status.get`, `auth.getStatus`, `models.list`, `runtime.shutdown`, … */
import { PROTOCOL_VERSION, RpcError } from "@rightseat/protocol";
import { quotaSnapshots } from "../accounts/account-quota.ts";
import { serverAuthStatus } from "../accounts/auth-status.ts";
import { AccountError, type GitHubAccount } from "../accounts/github-accounts.ts";
import { ModelError } from "../models/model-provider.ts";
import type { Methods } from "./method.ts";
import type { Services } from "./services.ts";
import { toWireModel } from "./wire-model.ts";

export function serverMethods(services: Services) {
  return {
    ping: ({ message }, scope) => ({
      message: message === undefined ? "pong" : `pong: ${message}`,
      // SDKs that do not introduce themselves (0.3.0 and before) read a number, and some cannot read text.
      timestamp: scope.link.introduced ? new Date().toISOString() : Date.now(),
      protocolVersion: PROTOCOL_VERSION,
    }),
    "status.get": () => ({ version: services.version, protocolVersion: PROTOCOL_VERSION }),
    "auth.getStatus": () => serverAuthStatus(services),
    "account.getQuota": async ({ gitHubToken }, scope) => ({
      quotaSnapshots: quotaSnapshots(await freshAccount(services, gitHubToken, scope.signal)),
    }),
    "models.list": async (params, scope) => {
      const fetch = services.inferences.of(scope.link)?.fetch({});
      const query = { gitHubToken: params.gitHubToken, fetch };
      const models = await services.models.list(query, scope.signal).catch(refuseListing);
      return { models: models.map(toWireModel) };
    },
    "tools.list": () => ({
      tools: services.toolDefinitions.map(({ name, description, parameters }) => ({
        name,
        description,
        parameters,
      })),
    }),
    "runtime.shutdown": async () => {
      await services.onShutdownRequest();
      return null;
    },
    "llmInference.setProvider": async (_params, scope) => {
      await services.inferences.register(scope.link);
      return { success: true };
    },
    "llmInference.httpResponseStart": (params, scope) =>
      services.inferences.of(scope.link)?.responseStart(params) ?? { accepted: false },
    "llmInference.httpResponseChunk": (params, scope) =>
      services.inferences.of(scope.link)?.responseChunk(params) ?? { accepted: false },
  } satisfies Methods;
}

/**
 * @throws RpcError `invalid_params` without a token, `authentication_failed` for one that GitHub refuses,
 * `provider_rejected` when it does not answer.
 */
async function freshAccount(
  { accounts, gitHubToken }: Services,
  given: string | undefined,
  signal: AbortSignal,
): Promise<GitHubAccount> {
  const token = given ?? gitHubToken;
  if (token === undefined)
    throw new RpcError(
      "invalid_params",
      "account.getQuota: gitHubToken: expected a GitHub token, since the server has none of its own; give one, or set COPILOT_GITHUB_TOKEN in its environment",
      { path: "gitHubToken" },
    );
  accounts.forget(token);
  return accounts.resolve(token, signal).catch((error) => {
    if (!(error instanceof AccountError)) throw error;
    const reason = error.kind === "rejected" ? "authentication_failed" : "provider_rejected";
    throw new RpcError(reason, error.message, { status: error.status }, { cause: error });
  });
}

function refuseListing(error: unknown): never {
  if (!(error instanceof ModelError)) throw error;
  const { kind, status, message } = error;
  const reason = kind === "authentication" ? "authentication_failed" : "provider_rejected";
  throw new RpcError(reason, `models.list: ${message}`, { status }, { cause: error });
}
