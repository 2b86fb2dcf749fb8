/** What runs work with: models, tools, permissions, and what is told of them. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RpcError } from "@rightseat/protocol";
import type { ActiveModel } from "../agent/run-host.ts";
import type { Logger } from "../config/logger.ts";
import type { Governor } from "../limits/governor.ts";
import type { Instruments } from "../metrics/instruments.ts";
import { admittedProvider } from "../models/admitted-provider.ts";
import { ModelError } from "../models/model-provider.ts";
import { DEFAULT_RETRY_POLICY } from "../models/retry.ts";
import { KeptPermissions } from "../permissions/kept-permissions.ts";
import { DEFAULT_TENANT } from "../rpc/principal.ts";
import { agentsOf } from "../session/abilities/agents/agents.ts";
import type { CommandServices } from "../session/abilities/commands/command-types.ts";
import { withNearbyInstructions } from "../session/abilities/context/nearby-instructions.ts";
import { lookAround, type SurroundingServices } from "../session/abilities/context/surroundings.ts";
import { agentMessageOf, systemMessageOf } from "../session/abilities/context/system-message.ts";
import { renewGitHubToken } from "../session/abilities/github/github-token.ts";
import type { HookServices } from "../session/abilities/hooks/session-hooks.ts";
import type { PermissionServices } from "../session/abilities/permissions/permissions.ts";
import type { AgentToolUser } from "../session/abilities/sub-agents/agent-tool-bodies.ts";
import { createAgentTools, dispatchableAgents } from "../session/abilities/sub-agents/agent-tools.ts";
import { isLargeOutput, toolDirectories } from "../session/abilities/tools/tool-host.ts";
import { toolSetOf, withoutInteraction } from "../session/abilities/tools/tool-set.ts";
import type { Places } from "../session/abilities/workspace/places.ts";
import type { Conversation } from "../session/open/conversation.ts";
import type { Session } from "../session/open/session.ts";
import type { RunServices } from "../session/runs/run.ts";
import type { EventLog } from "../store/event-log.ts";
import type { BuiltInTools } from "../tools/built-in.ts";
import type { Models } from "./models.ts";

/** Longer than this without a checkpoint makes resuming slow. */
const CHECKPOINT_EVERY_BYTES = 1024 * 1024;

export interface RunParts {
  readonly version: string;
  readonly home: string;
  readonly defaultWorkingDirectory: string;
  readonly places: Places;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly instruments: Instruments;
  readonly governor: Governor;
  readonly models: Models;
  readonly hooks: HookServices;
  readonly surroundings: SurroundingServices;
  readonly commands: CommandServices;
  readonly builtInTools: (session: Session) => BuiltInTools;
  readonly onUpdated: (session: Session) => void;
}

export function createRuns(parts: RunParts): RunServices {
  const { defaultWorkingDirectory, governor, hooks, log, logger, models, surroundings } = parts;
  const toolsOf = (conversation: Conversation, user: AgentToolUser) =>
    toolSetOf(conversation, () => [
      ...withNearbyInstructions(conversation, surroundings, parts.builtInTools(user.session).tools),
      ...createAgentTools(() => runs, user),
    ]);
  const admitted = (session: Session, model: ActiveModel) => withAdmission(governor, session, model);
  const runs: RunServices = {
    product: `rightseat/${parts.version}`,
    retry: DEFAULT_RETRY_POLICY,
    workspacePath: (session) => log.workspacePath(session.key),
    instruments: parts.instruments,
    places: governor,
    forgetKeyOf: (apiKeyCommand) => models.keyCommands.forget(apiKeyCommand),
    renewGitHubToken: (session) => renewGitHubToken(session, models.gitHubHost),
    permissions: createPermissionServices(parts),
    defaultWorkingDirectory,
    lookAround: (session) => lookAround(session, surroundings),
    hooks,
    systemMessage: (session, asking) => systemMessageOf(session, surroundings, asking),
    resolveModel: async (session, settings, waiter) =>
      admitted(session, await models.directory.resolve(await models.queryOf(session, { settings, waiter }))),
    toolSet: (session) => toolsOf(session, { session, depth: 0 }),
    fitOutput: (session, text) =>
      isLargeOutput(session, text) ? parts.builtInTools(session).keepOutput(text) : text,
    resolveAgentModel: async (session, settings, caller) => {
      const query = await models.queryOf(session, { settings, caller, waiter: caller });
      const { model } = session.settings;
      // An agent's definition may name a model that this session has no way to: it gets the session's.
      const isOffered =
        query.model === undefined ||
        query.model === model ||
        (await models.directory.offers({ ...query, model: query.model }));
      if (!isOffered && caller.requiresModel)
        throw modelNotFound(
          `the agent requires the model '${query.model}', which the session has no way to`,
          query.model,
        );
      return admitted(session, await models.directory.resolve(isOffered ? query : { ...query, model }));
    },
    checkAgentModel: async (session, model) => {
      const query = await models.queryOf(session, { settings: { ...session.settings, model } });
      if (await models.directory.offers({ ...query, model })) return;
      throw modelNotFound(`expected a model that the session can use, got '${model}'`, model);
    },
    agentSystemMessage: (session, agent) => agentMessageOf(session, surroundings, agent),
    agentToolSet: ({ conversation, caller, depth }) =>
      withoutInteraction(
        toolsOf(conversation, { session: conversation.session, depth, agentId: caller.agentId }),
      ),
    log,
    dispatchableAgents: async (session) => {
      await agentsOf(session, surroundings);
      return dispatchableAgents(session);
    },
    runCommand: async (session, command, signal) => {
      const { runQueuedCommand } = await import("../methods/seldom-loaded.ts");
      return runQueuedCommand(parts.commands, session, command, signal);
    },
    onBug: (error, session) => logger.error("a run failed unexpectedly", { sessionId: session.id, error }),
    onIdle: (session) => {
      parts.onUpdated(session);
      if (session.sinceCheckpoint > CHECKPOINT_EVERY_BYTES) {
        session
          .checkpoint()
          .catch((error) =>
            logger.warning("a checkpoint could not be written", { sessionId: session.id, error }),
          );
      }
    },
  };
  return runs;
}

/** All calls of models come through here: what limits a tenant's is asked before each of them. */
function withAdmission(governor: Governor, { key: { tenant } }: Session, model: ActiveModel): ActiveModel {
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

function createPermissionServices({
  defaultWorkingDirectory,
  home,
  log,
  places,
}: RunParts): PermissionServices {
  const kept = new Map<string, KeptPermissions>();
  return {
    defaultWorkingDirectory,
    placeOf: (session) => places.placeOf(session, log.workspacePath(session.key)),
    tempDirectory: tmpdir(),
    kept: (tenant) => {
      const known = kept.get(tenant);
      if (known) return known;
      // The default tenant's is where the Copilot CLI has it.
      const folder = tenant === DEFAULT_TENANT ? home : join(home, "tenants", tenant);
      const own = new KeptPermissions(join(folder, "permissions-config.json"));
      kept.set(tenant, own);
      return own;
    },
    ownDirectories: ({ key }) => toolDirectories(log.workspacePath(key)),
  };
}

function modelNotFound(message: string, model: string | undefined): RpcError {
  return new RpcError("model_not_found", message, { model });
}
