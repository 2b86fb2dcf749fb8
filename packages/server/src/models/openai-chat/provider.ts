import { type Concessions, concessionsOf } from "../concessions.ts";
import type { ModelProvider, ModelRequest, ProviderSettings } from "../model-provider.ts";
import { createOpenAIClient, toRequestSettings, trimSlashes } from "../openai-client.ts";
import { listOpenAIModels } from "../openai-models.ts";
import { runCall } from "../run-call.ts";
import { CHAT_CONCESSIONS } from "./concessions.ts";
import { type ChatDialect, chooseChatDialect, toChatBody } from "./request.ts";
import { startChat } from "./start-chat.ts";
import { ChatAnswerReader } from "./stream.ts";

/**
 * Chat Completions of OpenAI and of everything that imitates it (Ollama, vLLM, llama.cpp, LM Studio,
 * OpenRouter, DeepSeek, Mistral, Gemini). `baseUrl` is what comes before `/chat/completions`.
 */
export function createOpenAIChatProvider(settings: ProviderSettings): ModelProvider {
  const concessions = concessionsOf(settings);
  const dialectOf = rememberDialect(settings.baseUrl);
  return {
    name: "openai",
    generate: (request, signal) =>
      generate({ settings, concessions, dialect: dialectOf(request.model) }, request, signal),
    listModels: (signal) => listOpenAIModels(settings, signal),
  };
}

interface Caller {
  readonly settings: ProviderSettings;
  readonly concessions: Concessions;
  readonly dialect: ChatDialect;
}

/** A session seldom changes its model: the last dialect is kept. */
function rememberDialect(baseUrl: string): (model: string) => ChatDialect {
  let last: { readonly model: string; readonly dialect: ChatDialect } | undefined;
  return (model) => {
    if (last?.model !== model) last = { model, dialect: chooseChatDialect("openai", baseUrl, model) };
    return last.dialect;
  };
}

function generate({ settings, concessions, dialect }: Caller, request: ModelRequest, signal: AbortSignal) {
  const { idleTimeoutMs } = settings;
  const conceded = concessions.for(CHAT_CONCESSIONS, request.model, signal);
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
