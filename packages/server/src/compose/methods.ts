/** The methods that clients call, and what they work with. */
import type { Governor } from "../limits/governor.ts";
import { createMethods } from "../methods/index.ts";
import type { CheckedMethods } from "../methods/method.ts";
import { builtInAgentsOf } from "../session/abilities/agents/agents.ts";
import type { CommandServices } from "../session/abilities/commands/command-types.ts";
import { instructionsOf } from "../session/abilities/context/instructions.ts";
import type { SurroundingServices } from "../session/abilities/context/surroundings.ts";
import { agentToolDefinitions } from "../session/abilities/sub-agents/agent-tool-definitions.ts";
import type { Places } from "../session/abilities/workspace/places.ts";
import type { RunServices } from "../session/runs/run.ts";
import type { JoinServices } from "../sessions/join-session.ts";
import type { SessionRegistry } from "../sessions/session-registry.ts";
import { BUILT_IN_TOOL_DEFINITIONS, BUILT_IN_TOOL_NAMES } from "../tools/built-in.ts";
import type { Ending } from "./ending.ts";
import type { Models } from "./models.ts";
import type { ServerContext } from "./server-context.ts";
import { type BuiltInToolsOf, todosOf } from "./tools.ts";

export interface MethodParts {
  readonly registry: SessionRegistry;
  readonly runs: RunServices;
  readonly models: Models;
  readonly commands: CommandServices;
  readonly surroundings: SurroundingServices;
  readonly places: Places;
  readonly tools: BuiltInToolsOf;
  readonly governor: Governor;
  readonly ending: Ending;
}

export function composeMethods(context: ServerContext, parts: MethodParts): CheckedMethods {
  const { config, version } = context;
  const { registry, runs, models, surroundings, tools } = parts;
  return createMethods({
    version,
    registry,
    runs,
    models: models.directory,
    accounts: models.accounts,
    inferences: models.inferences,
    toolDefinitions: [...BUILT_IN_TOOL_DEFINITIONS, ...agentToolDefinitions(builtInAgentsOf({}, []))],
    sources: surroundings,
    instructionsOf: (session) => instructionsOf(session, surroundings),
    commands: parts.commands,
    places: parts.places,
    shellTasksOf: (session) => tools(session).shellTasks(),
    userShell: {
      placeOf: runs.permissions.placeOf,
      startCommand: (session, options) => tools(session).startCommand(options),
      defaultWorkingDirectory: context.defaultWorkingDirectory,
      onBug: runs.onBug,
    },
    environment: config.environment,
    todosOf,
    gitHubToken: config.gitHubToken,
    allowProviderEndpoint: config.allowProviderEndpoint,
    integrationId: models.integrationId,
    copilotApiUrl: config.apiUrl,
    governor: parts.governor,
    onShutdownRequest: () => parts.ending.request(),
    join: joinServices(context, parts),
  });
}

/** How clients come to a session. */
function joinServices(
  { config, defaultWorkingDirectory, logger, version }: ServerContext,
  { registry, runs, models, commands, surroundings, places }: MethodParts,
): JoinServices {
  return {
    registry,
    runs,
    agents: surroundings,
    version,
    allowAll: config.allowAll,
    forgetInstructions: () => surroundings.load.forget(),
    defaultWorkingDirectory,
    places,
    checkSettings: commands.checkSettings,
    builtInTools: BUILT_IN_TOOL_NAMES,
    defaultModel: (settings) => models.directory.defaultModel(settings),
    gitHubHost: models.gitHubHost,
    withoutEffect: config.withoutEffect,
    onWithoutEffect: (session, options) =>
      logger.warning("a client asked for options that have no effect here", {
        sessionId: session.id,
        clientName: session.settings.clientName,
        options,
      }),
  };
}
