/** Files around a session that tell its model something. */
import { createDiscoveryCache } from "../discovery/discovery-cache.ts";
import { discoverInstructions } from "../discovery/instructions.ts";
import type { SurroundingServices } from "../session/abilities/context/surroundings.ts";
import type { ServerContext } from "./server-context.ts";

export function createSurroundings({ config, defaultWorkingDirectory }: ServerContext): SurroundingServices {
  return {
    load: createDiscoveryCache(discoverInstructions),
    // Few sessions have agents in files.
    loadAgents: createDiscoveryCache(async (query) => {
      const { discoverAgents } = await import("../methods/seldom-loaded.ts");
      return discoverAgents(query);
    }),
    home: config.home,
    defaultWorkingDirectory,
  };
}
