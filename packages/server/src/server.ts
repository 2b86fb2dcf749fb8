/**
 * The composition root: with `compose/`, which has one file a subsystem, the only place that names concrete stores,
 * providers and tools. Each subsystem is given those that were made before it; one that is to know what happens in a
 * later one subscribes to the announcements.
 */
import { createAccess } from "./compose/access.ts";
import { createConnections } from "./compose/connections.ts";
import { createEnding } from "./compose/ending.ts";
import { createFieldChecks } from "./compose/field-checks.ts";
import { createHooks } from "./compose/hooks.ts";
import { createGovernor, startRetention } from "./compose/limits.ts";
import { createListening } from "./compose/listening.ts";
import { composeMethods } from "./compose/methods.ts";
import { createModelCalls } from "./compose/model-calls.ts";
import { createModels } from "./compose/models.ts";
import { createNetwork } from "./compose/network.ts";
import { openOperations } from "./compose/operations.ts";
import { createPermissions } from "./compose/permissions.ts";
import { createPlaces } from "./compose/places.ts";
import { createQuickAcks } from "./compose/quick-acks.ts";
import { createRuns } from "./compose/runs.ts";
import { createContext, type ServerPace, type ServerParts } from "./compose/server-context.ts";
import { createServing, type RightseatServer } from "./compose/serving.ts";
import { createSessions } from "./compose/sessions.ts";
import { openStore } from "./compose/store.ts";
import { createSurroundings } from "./compose/surroundings.ts";
import { createTools } from "./compose/tools.ts";
import type { Config } from "./config/load-config.ts";
import type { Logger } from "./config/logger.ts";

export type { RightseatServer, ServerPace, ServerParts };

export function createServer(
  config: Config,
  logger: Logger,
  version: string,
  parts: ServerParts = {},
): RightseatServer {
  const context = createContext(config, logger, version, parts);
  const network = createNetwork(config);
  const access = createAccess(context, network);
  const { gate, isShared } = access;
  const store = parts.store ?? openStore(context);
  const governor = createGovernor(context, store.catalogue);
  const places = createPlaces(context, store.files, isShared);
  const models = createModels(config, isShared, network);

  const surroundings = createSurroundings(context);
  const hooks = createHooks(context, store.log, governor);
  const permissions = createPermissions(context, store.tenants, places);
  const tools = createTools(context, { network, places, governor, isShared });
  const callParts = { log: store.log, governor, models, hooks, permissions, surroundings, tools };
  const calls = createModelCalls(context, callParts);
  const commands = { ...calls, checkSettings: models.check };
  const runs = createRuns(context, { calls, commands, governor, surroundings });

  const registry = createSessions(context, { store, governor, places, runs });
  startRetention(context, governor, registry);
  const ending = createEnding(context, registry);

  const methodParts = { registry, runs, models, commands, surroundings, places, tools, governor, ending };
  const methods = composeMethods(context, methodParts);
  const checks = createFieldChecks(registry, context.seldomLines);
  const quickAck = createQuickAcks(context);
  const { inferences } = models;
  const clientParts = { methods, checks, gate, governor, registry, inferences, quickAck };
  const connections = createConnections(context, clientParts);

  const operationsParts = { registry, connections, gate, governor, quickAck };
  const listening = createListening(context, connections, (port) =>
    openOperations(context, operationsParts, port),
  );
  return createServing(context, {
    access,
    governor,
    places,
    connections,
    listening,
    ending,
    checks,
    quickAck,
    loads: models.loads,
  });
}
