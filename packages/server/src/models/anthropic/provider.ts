import { type Concessions, concessionsOf } from "../concessions.ts";
import type { ModelListing, ModelProvider, ModelRequest, ProviderSettings } from "../model-provider.ts";
import { toRequestSettings } from "../openai-client.ts";
import { getJson } from "../openai-models.ts";
import { toOrigin } from "../reasoning-origin.ts";
import { runCall } from "../run-call.ts";
import { createAnthropicClient, startMessages, toAnthropicRoot } from "./client.ts";
import { MESSAGES_CONCESSIONS } from "./concessions.ts";
import { toMessagesBody } from "./request.ts";
import { MessagesAnswerReader } from "./stream.ts";

/** Anthropic Messages. `baseUrl` is what comes before `/v1/messages`, with or without `/v1`. */
export function createAnthropicProvider(settings: ProviderSettings): ModelProvider {
  const concessions = concessionsOf(settings);
  return {
    name: "anthropic",
    generate: (request, signal) => generate(settings, concessions, request, signal),
    listModels: (signal) => listModels(settings, signal),
  };
}

function generate(
  settings: ProviderSettings,
  concessions: Concessions,
  request: ModelRequest,
  signal: AbortSignal,
) {
  const conceded = concessions.for(MESSAGES_CONCESSIONS, request.model, signal);
  const url = `${toAnthropicRoot(settings.baseUrl)}/v1/messages`;
  const origin = toOrigin("anthropic", settings.baseUrl, request.model);
  return runCall(
    { provider: "anthropic", url, origin, signal, idleTimeoutMs: settings.idleTimeoutMs, conceded },
    async (call, callSignal) => {
      const client = await createAnthropicClient(toRequestSettings(settings, request), call);
      return startMessages(client, conceded.apply(toMessagesBody(request, origin)), callSignal);
    },
    (call) => new MessagesAnswerReader(call),
  );
}

interface ListedModel {
  readonly id: string;
  readonly display_name?: string;
  readonly max_input_tokens?: number | null;
  readonly max_tokens?: number | null;
}

async function listModels(settings: ProviderSettings, signal: AbortSignal): Promise<readonly ModelListing[]> {
  const url = `${toAnthropicRoot(settings.baseUrl)}/v1/models`;
  const body = await getJson("anthropic", url, settings, signal, async (call, callSignal) => {
    const client = await createAnthropicClient(settings, call);
    return client.get("/v1/models", { query: { limit: 1000 }, signal: callSignal }).asResponse();
  });
  return ((body as { data?: readonly ListedModel[] }).data ?? []).map((model) => ({
    id: model.id,
    name: model.display_name ?? model.id,
    contextWindowTokens: model.max_input_tokens ?? undefined,
    maxOutputTokens: model.max_tokens ?? undefined,
    raw: model,
  }));
}
