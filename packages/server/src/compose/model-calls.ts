/** Calls of models are made with these: the model, its system message, its tools; for sessions and sub-agents. */
import { RpcError } from "@rightseat/protocol";
import type { ActiveModel } from "../agent/run-host.ts";
import type { Governor } from "../limits/governor.ts";
import { admittedProvider } from "../models/admitted-provider.ts";
import { ModelError } from "../models/model-provider.ts";
import { DEFAULT_RETRY_POLICY } from "../models/retry.ts";
import { agentsOf } from "../session/abilities/agents/agents.ts";
import type { ModelCallServices } from "../session/abilities/context/manual-compaction.ts";
import { withNearbyInstructions } from "../session/abilities/context/nearby-instructions.ts";
import type { SurroundingServices } from "../session/abilities/context/surroundings.ts";
import { agentMessageOf, systemMessageOf } from "../session/abilities/context/system-message.ts";
import { renewGitHubToken } from "../session/abilities/github/github-token.ts";
import type { HookServices } from "../session/abilities/hooks/session-hooks.ts";
import type { PermissionServices } from "../session/abilities/permissions/permissions.ts";
import type { AgentToolUser } from "../session/abilities/sub-agents/agent-tool-bodies.ts";
import { createAgentTools, dispatchableAgents } from "../session/abilities/sub-agents/agent-tools.ts";
import type { SubAgentServices } from "../session/abilities/sub-agents/sub-agent.ts";
import { isLargeOutput } from "../session/abilities/tools/tool-host.ts";
import { toolSetOf, withoutInteraction } from "../session/abilities/tools/tool-set.ts";
import type { Conversation } from "../session/open/conversation.ts";
import type { Session } from "../session/open/session.ts";
import type { EventLog } from "../store/event-log.ts";
import type { Models } from "./models.ts";
import type { ServerContext } from "./server-context.ts";
import type { BuiltInToolsOf } from "./tools.ts";

export interface ModelCallParts {
  readonly log: EventLog;
  readonly governor: Governor;
  readonly models: Models;
  readonly hooks: HookServices;
  readonly permissions: PermissionServices;
  readonly surroundings: SurroundingServices;
  readonly tools: BuiltInToolsOf;
}

export type ModelCalls = ModelCallServices & SubAgentServices;

export function createModelCalls(context: ServerContext, parts: ModelCallParts): ModelCalls {
  const { log, governor, models, surroundings, tools } = parts;
  const toolsOf = (services: SubAgentServices, conversation: Conversation, user: AgentToolUser) =>
    toolSetOf(conversation, () => [
      ...withNearbyInstructions(conversation, surroundings, tools(user.session).tools),
      ...createAgentTools(services, user),
    ]);
  const subAgents: SubAgentServices = {
    product: `rightseat/${context.version}`,
    retry: DEFAULT_RETRY_POLICY,
    instruments: context.instruments,
    places: governor,
    forgetKeyOf: (apiKeyCommand) => models.keyCommands.forget(apiKeyCommand),
    renewGitHubToken: (session) => renewGitHubToken(session, models.gitHubHost),
    permissions: parts.permissions,
    defaultWorkingDirectory: context.defaultWorkingDirectory,
    hooks: parts.hooks,
    fitOutput: (session, text) => (isLargeOutput(session, text) ? tools(session).keepOutput(text) : text),
    ...createAgentModels(models, governor),
    agentSystemMessage: (session, agent) => agentMessageOf(session, surroundings, agent),
    agentToolSet: (services, { conversation, caller, depth }) =>
      withoutInteraction(
        toolsOf(services, conversation, { session: conversation.session, depth, agentId: caller.agentId }),
      ),
    log,
    dispatchableAgents: async (session) => {
      await agentsOf(session, surroundings);
      return dispatchableAgents(session);
    },
    onBug: (error, session) => {
      context.logger.error("a run failed unexpectedly", { sessionId: session.id, error });
      context.announcements.announce("failure", { key: session.key, what: "bug", error });
    },
  };
  return {
    ...subAgents,
    systemMessage: (session, asking) => systemMessageOf(session, surroundings, asking),
    resolveModel: async (session, settings, waiter) => {
      const query = await models.queryOf(session, { settings, waiter });
      return admitted(governor, session, await models.directory.resolve(query));
    },
    toolSet: (session) => toolsOf(subAgents, session, { session, depth: 0 }),
  };
}

function createAgentModels(
  { directory, queryOf }: Models,
  governor: Governor,
): Pick<SubAgentServices, "resolveAgentModel" | "checkAgentModel"> {
  return {
    resolveAgentModel: async (session, settings, caller) => {
      const query = await queryOf(session, { settings, caller, waiter: caller });
      const { model } = session.settings;
      // An agent's definition may name a model that this session has no way to: it gets the session's.
      const isOffered =
        query.model === undefined ||
        query.model === model ||
        (await directory.offers({ ...query, model: query.model }));
      if (!isOffered && caller.requiresModel)
        throw modelNotFound(
          `the agent requires the model '${query.model}', which the session has no way to`,
          query.model,
        );
      return admitted(governor, session, await directory.resolve(isOffered ? query : { ...query, model }));
    },
    checkAgentModel: async (session, model) => {
      const query = await queryOf(session, { settings: { ...session.settings, model } });
      if (await directory.offers({ ...query, model })) return;
      throw modelNotFound(`expected a model that the session can use, got '${model}'`, model);
    },
  };
}

/** All calls of models come through here: what limits a tenant's is asked before each of them. */
function admitted(governor: Governor, { key: { tenant } }: Session, model: ActiveModel): ActiveModel {
  if (!governor.limitsModelCalls(tenant)) return model;
  const admit = () => governor.admitModelCall(tenant).catch(toModelError);
  return { ...model, provider: admittedProvider(model.provider, admit) };
}

/** To a run it is as if the provider had refused: tokens of a minute are waited for. */
function toModelError(error: unknown): never {
  if (!(error instanceof RpcError) || error.reason !== "limit_exceeded") throw error;
  const { limit, retryAfterMs } = error.data as { limit: string; retryAfterMs: number };
  const kind = limit === "tokensPerMinute" ? "rate-limit" : "quota";
  throw new ModelError(kind, error.message, { errorCode: error.reason, retryAfterMs, cause: error });
}

function modelNotFound(message: string, model: string | undefined): RpcError {
  return new RpcError("model_not_found", message, { model });
}
