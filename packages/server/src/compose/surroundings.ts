/** What files around a session tell its model. */
import { discoverAgents } from "../discovery/agents.ts";
import { createDiscoveryCache } from "../discovery/discovery-cache.ts";
import { discoverInstructions } from "../discovery/instructions.ts";
import type { SurroundingServices } from "../session/abilities/context/surroundings.ts";
import type { ServerContext } from "./server-context.ts";

export function createSurroundings({ config, defaultWorkingDirectory }: ServerContext): SurroundingServices {
  return {
    load: createDiscoveryCache(discoverInstructions),
    loadAgents: createDiscoveryCache(discoverAgents),
    home: config.home,
    defaultWorkingDirectory,
  };
}
