import { type Concessions, concessionsOf } from "../concessions.ts";
import type { ModelProvider, ModelRequest, ProviderSettings } from "../model-provider.ts";
import { createOpenAIClient, toRequestSettings, trimSlashes } from "../openai-client.ts";
import { listOpenAIModels } from "../openai-models.ts";
import { toOrigin } from "../reasoning-origin.ts";
import { runCall } from "../run-call.ts";
import { RESPONSES_CONCESSIONS } from "./concessions.ts";
import { toResponsesBody } from "./request.ts";
import { startResponse } from "./start-response.ts";
import { ResponsesAnswerReader } from "./stream.ts";

/** OpenAI's Responses API, stateless. `baseUrl` is what comes before `/responses`. */
export function createOpenAIResponsesProvider(settings: ProviderSettings): ModelProvider {
  const concessions = concessionsOf(settings);
  return {
    name: "openai",
    generate: (request, signal) => generate(settings, concessions, request, signal),
    listModels: (signal) => listOpenAIModels(settings, signal),
  };
}

function generate(
  settings: ProviderSettings,
  concessions: Concessions,
  request: ModelRequest,
  signal: AbortSignal,
) {
  const { idleTimeoutMs } = settings;
  const conceded = concessions.for(RESPONSES_CONCESSIONS, request.model, signal);
  const origin = toOrigin("openai", settings.baseUrl, request.model);
  const url = `${trimSlashes(settings.baseUrl)}/responses`;
  return runCall(
    { provider: "openai", url, origin, signal, idleTimeoutMs, conceded },
    async (call, callSignal) => {
      const client = await createOpenAIClient(toRequestSettings(settings, request), call);
      return startResponse(client, conceded.apply(toResponsesBody(request, origin)), callSignal);
    },
    (call) => new ResponsesAnswerReader(call),
  );
}
