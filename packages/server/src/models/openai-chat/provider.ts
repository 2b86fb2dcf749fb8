import { type Concessions, concessionsOf } from "../concessions.ts";
import type { ModelProvider, ModelRequest, ProviderSettings } from "../model-provider.ts";
import { createOpenAIClient, toRequestSettings, trimSlashes } from "../openai-client.ts";
import { listOpenAIModels } from "../openai-models.ts";
import { runCall } from "../run-call.ts";
import { CHAT_CONCESSIONS } from "./concessions.ts";
import { chooseChatDialect, toChatBody } from "./request.ts";
import { startChat } from "./start-chat.ts";
import { ChatAnswerReader } from "./stream.ts";

/**
 * Chat Completions of OpenAI and of everything that imitates it (Ollama, vLLM, llama.cpp, LM Studio,
 * OpenRouter, DeepSeek, Mistral, Gemini). `baseUrl` is what comes before `/chat/completions`.
 */
export function createOpenAIChatProvider(settings: ProviderSettings): ModelProvider {
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
  const conceded = concessions.for(CHAT_CONCESSIONS, request.model);
  const dialect = chooseChatDialect("openai", settings.baseUrl, request.model);
  const { origin } = dialect.spelling;
  const url = `${trimSlashes(settings.baseUrl)}/chat/completions`;
  return runCall(
    { provider: "openai", url, origin, signal, idleTimeoutMs, conceded },
    async (call, callSignal) => {
      const client = await createOpenAIClient(toRequestSettings(settings, request), call);
      return startChat(client, toChatBody(request, dialect, conceded), callSignal);
    },
    (call) => new ChatAnswerReader(call),
  );
}
