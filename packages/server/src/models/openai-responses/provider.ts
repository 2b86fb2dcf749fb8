import type { ModelProvider, ModelRequest, ProviderSettings } from "../model-provider.ts";
import { listOpenAIModels } from "../openai-models.ts";
import { requestOpenAI } from "../openai-request.ts";
import { runCall } from "../run-call.ts";
import { trimSlashes } from "../send-request.ts";
import { toResponsesBody } from "./request.ts";
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
  return runCall(
    { provider: "openai", url: `${trimSlashes(settings.baseUrl)}/responses`, signal, idleTimeoutMs },
    (call, callSignal) => {
      const endpoint = { ...settings, requestHeaders: request.headers };
      const body = toResponsesBody(request);
      return requestOpenAI(endpoint, call, { path: "/responses", body }, callSignal);
    },
    (call) => new ResponsesAnswerReader(call),
  );
}
