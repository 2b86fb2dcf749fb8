import type { ModelProvider, ModelRequest, ProviderSettings } from "../model-provider.ts";
import { type ChatDialect, toChatBody } from "../openai-chat/request.ts";
import { ChatAnswerReader } from "../openai-chat/stream.ts";
import { toResponsesBody } from "../openai-responses/request.ts";
import { ResponsesAnswerReader } from "../openai-responses/stream.ts";
import { runCall } from "../run-call.ts";
import { parseAzureAddress } from "./address.ts";
import { type AzureTarget, requestAzure, toAzureUrl } from "./send.ts";

/** Deployments have names of their own, so the model cannot be told; the newer field suits all of them. */
const DIALECT: ChatDialect = { maxTokensField: "max_completion_tokens", sendsReasoningBack: false };

/** OpenAI models on Azure, by Chat Completions or Responses. The request's model is the deployment's name. */
export function createAzureProvider(settings: ProviderSettings): ModelProvider {
  const generate = settings.wireApi === "responses" ? generateResponse : generateChat;
  return { name: "azure", generate: (request, signal) => generate(settings, request, signal) };
}

function toTarget(settings: ProviderSettings, request: ModelRequest): AzureTarget {
  const address = parseAzureAddress(settings.baseUrl);
  return {
    ...address,
    apiVersion: settings.azureApiVersion ?? address.apiVersion,
    deployment: address.deployment ?? request.model,
  };
}

function generateChat(settings: ProviderSettings, request: ModelRequest, signal: AbortSignal) {
  const target = toTarget(settings, request);
  const url = toAzureUrl(target, "chat/completions");
  return runCall(
    { provider: "azure", url, signal, idleTimeoutMs: settings.idleTimeoutMs },
    (call, callSignal) => {
      const endpoint = { ...settings, requestHeaders: request.headers };
      const body = toChatBody({ ...request, model: target.deployment }, DIALECT);
      return requestAzure(endpoint, call, { url, body }, callSignal);
    },
    (call) => new ChatAnswerReader(call),
  );
}

function generateResponse(settings: ProviderSettings, request: ModelRequest, signal: AbortSignal) {
  const target = toTarget(settings, request);
  const url = toAzureUrl(target, "responses");
  return runCall(
    { provider: "azure", url, signal, idleTimeoutMs: settings.idleTimeoutMs },
    (call, callSignal) => {
      const endpoint = { ...settings, requestHeaders: request.headers };
      const body = toResponsesBody({ ...request, model: target.deployment });
      return requestAzure(endpoint, call, { url, body }, callSignal);
    },
    (call) => new ResponsesAnswerReader(call),
  );
}
