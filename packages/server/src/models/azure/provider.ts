import { type Concessions, concessionsOf } from "../concessions.ts";
import type { ModelProvider, ModelRequest, ProviderSettings } from "../model-provider.ts";
import { CHAT_CONCESSIONS } from "../openai-chat/concessions.ts";
import { toChatBody } from "../openai-chat/request.ts";
import { chooseChatSpelling } from "../openai-chat/spelling.ts";
import { startChat } from "../openai-chat/start-chat.ts";
import { ChatAnswerReader } from "../openai-chat/stream.ts";
import { toRequestSettings } from "../openai-client.ts";
import { RESPONSES_CONCESSIONS } from "../openai-responses/concessions.ts";
import { toResponsesBody } from "../openai-responses/request.ts";
import { startResponse } from "../openai-responses/start-response.ts";
import { ResponsesAnswerReader } from "../openai-responses/stream.ts";
import { toOrigin } from "../reasoning-origin.ts";
import { runCall } from "../run-call.ts";
import { parseAzureAddress } from "./address.ts";
import { type AzureTarget, createAzureClient, describeAzureUrl } from "./client.ts";

/** OpenAI models on Azure, by Chat Completions or Responses. The request's model is the deployment's name. */
export function createAzureProvider(settings: ProviderSettings): ModelProvider {
  const generate = settings.wireApi === "responses" ? generateResponse : generateChat;
  const concessions = concessionsOf(settings);
  return { name: "azure", generate: (request, signal) => generate(settings, concessions, request, signal) };
}

function toTarget(
  settings: ProviderSettings,
  request: ModelRequest,
): AzureTarget & { readonly deployment: string } {
  const address = parseAzureAddress(settings.baseUrl);
  return {
    ...address,
    apiVersion: settings.azureApiVersion ?? address.apiVersion,
    deployment: address.deployment ?? request.model,
  };
}

function generateChat(
  settings: ProviderSettings,
  concessions: Concessions,
  request: ModelRequest,
  signal: AbortSignal,
) {
  const target = toTarget(settings, request);
  const conceded = concessions.for(CHAT_CONCESSIONS, target.deployment, signal);
  const spelling = chooseChatSpelling("azure", settings.baseUrl, target.deployment);
  return runCall(
    {
      provider: "azure",
      url: describeAzureUrl(target, "chat/completions"),
      origin: spelling.origin,
      signal,
      idleTimeoutMs: settings.idleTimeoutMs,
      conceded,
    },
    async (call, callSignal) => {
      const client = await createAzureClient(toRequestSettings(settings, request), target, call);
      // Deployments have names of their own, so the model cannot be told; the newer field suits all of them.
      const dialect = { maxTokensField: "max_completion_tokens", spelling } as const;
      const body = toChatBody({ ...request, model: target.deployment }, dialect, conceded);
      return startChat(client, body, callSignal);
    },
    (call) => new ChatAnswerReader(call),
  );
}

function generateResponse(
  settings: ProviderSettings,
  concessions: Concessions,
  request: ModelRequest,
  signal: AbortSignal,
) {
  const target = toTarget(settings, request);
  const conceded = concessions.for(RESPONSES_CONCESSIONS, target.deployment, signal);
  const origin = toOrigin("azure", settings.baseUrl, target.deployment);
  return runCall(
    {
      provider: "azure",
      url: describeAzureUrl(target, "responses"),
      origin,
      signal,
      idleTimeoutMs: settings.idleTimeoutMs,
      conceded,
    },
    async (call, callSignal) => {
      const client = await createAzureClient(toRequestSettings(settings, request), target, call);
      const body = toResponsesBody({ ...request, model: target.deployment }, origin);
      return startResponse(client, conceded.apply(body), callSignal);
    },
    (call) => new ResponsesAnswerReader(call),
  );
}
