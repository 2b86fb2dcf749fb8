import { createAnthropicClient, startMessages } from "../anthropic/client.ts";
import { MESSAGES_CONCESSIONS } from "../anthropic/concessions.ts";
import { toMessagesBody } from "../anthropic/request.ts";
import { MessagesAnswerReader } from "../anthropic/stream.ts";
import { type Conceded, Concessions } from "../concessions.ts";
import { lazyEvents } from "../lazy-events.ts";
import type { ModelEvent, ModelProvider, ModelRequest } from "../model-provider.ts";
import { CHAT_CONCESSIONS } from "../openai-chat/concessions.ts";
import { startChat } from "../openai-chat/start-chat.ts";
import { createOpenAIClient, trimSlashes } from "../openai-client.ts";
import { RESPONSES_CONCESSIONS } from "../openai-responses/concessions.ts";
import { toResponsesBody } from "../openai-responses/request.ts";
import { startResponse } from "../openai-responses/start-response.ts";
import { ResponsesAnswerReader } from "../openai-responses/stream.ts";
import { toOrigin } from "../reasoning-origin.ts";
import { runCall } from "../run-call.ts";
import { toClientSettings } from "./client-settings.ts";
import { toCopilotHeaders } from "./headers.ts";
import { type CopilotModels, type CopilotRoute, readCopilotModels } from "./models.ts";
import { toCopilotChatBody } from "./request.ts";
import type { CopilotSettings } from "./settings.ts";
import { CopilotChatAnswerReader } from "./stream.ts";

/** How long the list of models is believed, for choosing routes. */
const MODELS_LIFETIME_MS = 30 * 60_000;
/** A list that could not be had is not waited for again before each call. */
const FAILURE_LIFETIME_MS = 60_000;

/**
 * GitHub's Copilot API: Chat Completions for most models, Responses or Messages for those that have
 * nothing else. The list of models is read before the first call, and again every half hour of use.
 */
export function createCopilotProvider(settings: CopilotSettings): ModelProvider {
  const concessions = new Concessions();
  let models: CopilotModels | undefined;
  let failedAtMs = Number.NEGATIVE_INFINITY;
  const refresh = async (signal: AbortSignal): Promise<CopilotModels> =>
    (models = await readCopilotModels(settings, signal));
  const chooseRoute = async (model: string, signal: AbortSignal): Promise<CopilotRoute> => {
    signal.throwIfAborted();
    const now = performance.now();
    const isOld = models === undefined || now - models.readAtMs > MODELS_LIFETIME_MS;
    if (isOld && now - failedAtMs > FAILURE_LIFETIME_MS)
      await refresh(signal).catch(() => {
        if (!signal.aborted) failedAtMs = performance.now();
      });
    signal.throwIfAborted();
    // Without a list the most common route is tried, and its error tells more than the list's would.
    return models?.routes.get(model) ?? "chat";
  };
  return {
    name: "copilot",
    generate: (request, signal) =>
      lazyEvents(async () =>
        ROUTES[await chooseRoute(request.model, signal)](settings, concessions, request, signal),
      ),
    listModels: async (signal) => (await refresh(signal)).listings,
  };
}

type Route = (
  settings: CopilotSettings,
  concessions: Concessions,
  request: ModelRequest,
  signal: AbortSignal,
) => AsyncGenerator<ModelEvent, void, void>;

const ROUTES: Readonly<Record<CopilotRoute, Route>> = {
  chat: (settings, concessions, request, signal) => {
    const conceded = concessions.for(CHAT_CONCESSIONS, request.model, signal);
    return runCall(
      toOptions(settings, request, "/chat/completions", signal, conceded),
      async (call, callSignal) => {
        const client = await createOpenAIClient(toCallSettings(settings, request, signal), call);
        return startChat(client, toCopilotChatBody(request, settings.baseUrl, conceded), callSignal);
      },
      (call) => new CopilotChatAnswerReader(call),
    );
  },
  responses: (settings, concessions, request, signal) => {
    const conceded = concessions.for(RESPONSES_CONCESSIONS, request.model, signal);
    return runCall(
      toOptions(settings, request, "/responses", signal, conceded),
      async (call, callSignal) => {
        const client = await createOpenAIClient(toCallSettings(settings, request, signal), call);
        return startResponse(
          client,
          conceded.apply(toResponsesBody(request, originOf(settings, request))),
          callSignal,
        );
      },
      (call) => new ResponsesAnswerReader(call),
    );
  },
  messages: (settings, concessions, request, signal) => {
    const conceded = concessions.for(MESSAGES_CONCESSIONS, request.model, signal);
    return runCall(
      toOptions(settings, request, "/v1/messages", signal, conceded),
      async (call, callSignal) => {
        const client = await createAnthropicClient(toCallSettings(settings, request, signal), call);
        return startMessages(
          client,
          conceded.apply(toMessagesBody(request, originOf(settings, request))),
          callSignal,
        );
      },
      (call) => new MessagesAnswerReader(call),
    );
  },
};

function originOf(settings: CopilotSettings, request: ModelRequest): string {
  return toOrigin("copilot", settings.baseUrl, request.model);
}

function toOptions(
  settings: CopilotSettings,
  request: ModelRequest,
  path: string,
  signal: AbortSignal,
  conceded: Conceded,
) {
  return {
    provider: "copilot",
    origin: originOf(settings, request),
    url: `${trimSlashes(settings.baseUrl)}${path}`,
    signal,
    idleTimeoutMs: settings.idleTimeoutMs,
    conceded,
  };
}

function toCallSettings(settings: CopilotSettings, request: ModelRequest, signal: AbortSignal) {
  return toClientSettings(
    settings,
    { ...toCopilotHeaders(request, signal), ...request.headers },
    request.userAgent,
  );
}
