/** Methods about the server itself: `ping`, `status.get`, `auth.getStatus`, `models.list`, `runtime.shutdown`, … */
import { PROTOCOL_VERSION, type PublishedMethods } from "@rightseat/protocol";
import { authStatus } from "../accounts/auth-status.ts";
import type { ClientInference } from "../session/clients/client-inferences.ts";
import type { Methods, Scope, Services } from "./services.ts";
import { toWireModel } from "./wire-model.ts";

export function serverMethods(services: Services): Methods {
  return {
    ping: ({ message }: { message?: string }, scope: Scope) => ({
      message: message === undefined ? "pong" : `pong: ${message}`,
      // SDKs that do not introduce themselves (0.3.0 and before) read a number, and some cannot read text.
      timestamp: scope.link.introduced ? new Date().toISOString() : Date.now(),
      protocolVersion: PROTOCOL_VERSION,
    }),
    "status.get": () => ({ version: services.version, protocolVersion: PROTOCOL_VERSION }),
    "auth.getStatus": () => authStatus(services.accounts, services.gitHubToken),
    "models.list": async (params: { gitHubToken?: string }, scope: Scope) => {
      const fetch = services.inferences.of(scope.link)?.fetch({});
      const models = await services.models.list({ gitHubToken: params.gitHubToken, fetch }, scope.signal);
      return { models: models.map(toWireModel) } as unknown as PublishedMethods["models.list"]["result"];
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
    "llmInference.setProvider": (_params: unknown, scope: Scope) => {
      services.inferences.register(scope.link);
      return { success: true };
    },
    "llmInference.httpResponseStart": (
      params: Parameters<ClientInference["responseStart"]>[0],
      scope: Scope,
    ) => services.inferences.of(scope.link)?.responseStart(params) ?? { accepted: false },
    "llmInference.httpResponseChunk": (
      params: Parameters<ClientInference["responseChunk"]>[0],
      scope: Scope,
    ) => services.inferences.of(scope.link)?.responseChunk(params) ?? { accepted: false },
  };
}
