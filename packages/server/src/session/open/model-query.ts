/** What a session asks the model directory with: its settings, and its clients' part in them. */
import { RpcError } from "@rightseat/protocol";
import type { ClientRequestContext } from "../../models/client-exchange.ts";
import type { ClientInference } from "../../models/client-fetch.ts";
import type { ModelQuery } from "../../models/model-directory.ts";
import type { Fetch } from "../../models/model-provider.ts";
import type { ClientInferences } from "../members/client-inferences.ts";
import type { Waiter } from "../members/client-waits.ts";
import type { SessionSettings } from "../members/session-settings.ts";
import { type Wait, waitingFetch } from "../members/waiting-fetch.ts";
import { requestInTime } from "./request-in-time.ts";
import type { Session } from "./session.ts";

/** The asker of a model: for clients that carry model traffic, and for the provider. */
export interface AgentCaller {
  readonly agentId: string;
  /** The sub-agent that started this one; the session itself when left out. */
  readonly parentAgentId?: string;
  /** It answers on the model that its settings name, or not at all. */
  readonly requiresModel?: boolean;
}

/**
 * @param allowSocket whether calls that a client carries may go over a WebSocket.
 * @param waiter what goes on with what clients answer meanwhile; left out where no run does.
 */
export function modelQueryOf(
  session: Session,
  inferences: ClientInferences,
  allowSocket: boolean,
  settings: SessionSettings = session.settings,
  caller?: AgentCaller,
  waiter?: Waiter,
): ModelQuery {
  const carrier = inferenceOf(session, inferences);
  const wait: Wait = (answer) => session.waits.during(waiter, answer);
  const main = `${session.id}/main`;
  const context = caller
    ? {
        sessionId: session.id,
        agentId: caller.agentId,
        parentAgentId: caller.parentAgentId ?? main,
        interactionType: "conversation-subagent",
      }
    : { sessionId: session.id, agentId: main, interactionType: "conversation-agent" };
  return {
    model: settings.model,
    reasoningEffort: settings.reasoningEffort,
    reasoningSummary: settings.reasoningSummary,
    provider: settings.provider,
    providers: settings.providers,
    models: settings.models,
    gitHubToken: settings.gitHubToken,
    withoutServerToken: settings.withoutServerToken,
    capabilities: settings.modelCapabilities,
    // A provider is kept with its ways through the client, which know who waits.
    identity: waiter === undefined ? besideRuns(settings) : settings,
    ...(carrier ? { fetch: waitingFetch(carrier.fetch(context), wait) } : {}),
    ...(carrier && allowSocket && settings.capi?.enableWebSocketResponses !== false
      ? { socketFetch: waitingFetch(socketFetchOf(carrier, context), wait) }
      : {}),
    bearerToken: (providerName) => wait(() => askForToken(session, providerName)),
  };
}

const identitiesBesideRuns = new WeakMap<object, object>();

/** What the providers of calls that no run goes on with are kept by. */
function besideRuns(settings: SessionSettings): object {
  const known = identitiesBesideRuns.get(settings);
  if (known) return known;
  const made = {};
  identitiesBesideRuns.set(settings, made);
  return made;
}

/** Loaded with the first call that a client carries. */
function socketFetchOf(carrier: ClientInference, context: ClientRequestContext): Fetch {
  return async (input, init) => {
    const { createResponsesSocketFetch } = await import("../../models/client-websocket.ts");
    return createResponsesSocketFetch(carrier)(context)(input, init);
  };
}

/** The way through the first attached client that carries model traffic. */
function inferenceOf(session: Session, inferences: ClientInferences) {
  for (const link of session.attachments.keys()) {
    const inference = inferences.of(link);
    if (inference) return inference;
  }
  return undefined;
}

/** The first attached client that has one. @throws RpcError `provider_rejected` with the reasons of all. */
async function askForToken(session: Session, providerName: string): Promise<string> {
  const reasons: string[] = [];
  for (const link of session.attachments.keys()) {
    try {
      const params = { sessionId: session.id, providerName };
      const answer = (await requestInTime(session, link, "providerToken.getToken", params)) as {
        token?: unknown;
      };
      if (typeof answer?.token === "string") return answer.token;
      reasons.push("it answered without a token");
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new RpcError(
    "provider_rejected",
    `No client gave a token for the provider '${providerName}': ${reasons.join("; ") || "none is attached"}`,
    { providerName },
  );
}
