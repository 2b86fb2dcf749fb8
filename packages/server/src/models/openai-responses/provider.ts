import type { ModelProvider, ModelRequest, ProviderSettings } from "../model-provider.ts";
import { createOpenAIClient, toRequestSettings, trimSlashes } from "../openai-client.ts";
import { listOpenAIModels } from "../openai-models.ts";
import { toOrigin } from "../reasoning-origin.ts";
import { runCall } from "../run-call.ts";
import { toResponsesBody } from "./request.ts";
import { startResponse } from "./start-response.ts";
import { ResponsesAnswerReader } from "./stream.ts";

/** OpenAI's Responses API, stateless. `baseUrl` is what comes before `/responses`. */
export function createOpenAIResponsesProvider(settings: ProviderSettings): ModelProvider {
  return {
    name: "openai",
    generate: (request, signal) => generate(settings, request, signal),
    listModels: (signal) => listOpenAIModels(settings, signal),
  };
}

function generate(settings: ProviderSettings, request: ModelRequest, signal: AbortSignal) {
  const { idleTimeoutMs } = settings;
  const origin = toOrigin("openai", settings.baseUrl, request.model);
  const url = `${trimSlashes(settings.baseUrl)}/responses`;
  return runCall(
    { provider: "openai", url, origin, signal, idleTimeoutMs },
    async (call, callSignal) => {
      const client = await createOpenAIClient(toRequestSettings(settings, request), call);
      return startResponse(client, toResponsesBody(request, origin), callSignal);
    },
    (call) => new ResponsesAnswerReader(call),
  );
}
