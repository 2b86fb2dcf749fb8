import type { ModelProvider, ModelRequest, ProviderSettings } from "../model-provider.ts";
import { listOpenAIModels } from "../openai-models.ts";
import { requestOpenAI } from "../openai-request.ts";
import { runCall } from "../run-call.ts";
import { trimSlashes } from "../send-request.ts";
import { chooseChatDialect, toChatBody } from "./request.ts";
import { ChatAnswerReader } from "./stream.ts";

/**
 * Chat Completions of OpenAI and of everything that imitates it (Ollama, vLLM, llama.cpp, LM Studio,
 * OpenRouter, DeepSeek, Mistral, Gemini). `baseUrl` is what comes before `/chat/completions`.
 */
export function createOpenAIChatProvider(settings: ProviderSettings): ModelProvider {
  return {
    name: "openai",
    generate: (request, signal) => generate(settings, request, signal),
    listModels: (signal) => listOpenAIModels(settings, signal),
  };
}

function generate(settings: ProviderSettings, request: ModelRequest, signal: AbortSignal) {
  const { idleTimeoutMs } = settings;
  return runCall(
    { provider: "openai", url: `${trimSlashes(settings.baseUrl)}/chat/completions`, signal, idleTimeoutMs },
    (call, callSignal) => {
      const body = toChatBody(request, chooseChatDialect(settings.baseUrl, request.model));
      const endpoint = { ...settings, requestHeaders: request.headers };
      return requestOpenAI(endpoint, call, { path: "/chat/completions", body }, callSignal);
    },
    (call) => new ChatAnswerReader(call),
  );
}
