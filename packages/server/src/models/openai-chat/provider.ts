import type { ModelProvider, ModelRequest, ProviderSettings } from "../model-provider.ts";
import { createOpenAIClient, toRequestSettings, trimSlashes } from "../openai-client.ts";
import { listOpenAIModels } from "../openai-models.ts";
import { runCall } from "../run-call.ts";
import { chooseChatDialect, toChatBody } from "./request.ts";
import { startChat } from "./start-chat.ts";
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
    async (call, callSignal) => {
      const client = await createOpenAIClient(toRequestSettings(settings, request), call);
      return startChat(
        client,
        toChatBody(request, chooseChatDialect(settings.baseUrl, request.model)),
        callSignal,
      );
    },
    (call) => new ChatAnswerReader(call),
  );
}
