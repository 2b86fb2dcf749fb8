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
  const dialect = chooseChatDialect("openai", settings.baseUrl, request.model);
  const { origin } = dialect.spelling;
  const url = `${trimSlashes(settings.baseUrl)}/chat/completions`;
  return runCall(
    { provider: "openai", url, origin, signal, idleTimeoutMs },
    async (call, callSignal) => {
      const client = await createOpenAIClient(toRequestSettings(settings, request), call);
      return startChat(client, toChatBody(request, dialect), callSignal);
    },
    (call) => new ChatAnswerReader(call),
  );
}
