/** Methods on agents and instructions that files define, without a session: `agents.*`, `instructions.*`. */
import { agentPathsAt, agentsAt, instructionPathsAt, instructionsAt } from "../discovery/host-sources.ts";
import { toFileAgentInfo } from "../session/abilities/agents/agents.ts";
import { projectsAt } from "../session/abilities/workspace/projects.ts";
import type { Methods, Scope } from "./method.ts";
import type { Services } from "./services.ts";

export function hostSourceMethods({ sources, places: placesOnDisk }: Services) {
  const places = async (
    { principal: { tenant } }: Scope,
    method: string,
    paths: string[] | undefined,
    withoutHost: boolean | undefined,
  ) => ({
    home: withoutHost ? undefined : sources.home,
    projects: await projectsAt(method, paths, {
      confinement: placesOnDisk.confinementOf(tenant),
      reach: placesOnDisk.reachOfTenant(tenant),
    }),
  });
  return {
    "agents.discover": async (params, scope) => {
      const at = await places(scope, "agents.discover", params.projectPaths, params.excludeHostAgents);
      return { agents: (await agentsAt(sources.loadAgents, at)).map(toFileAgentInfo) };
    },
    "agents.getDiscoveryPaths": async (params, scope) => ({
      paths: agentPathsAt(
        await places(scope, "agents.getDiscoveryPaths", params.projectPaths, params.excludeHostAgents),
      ),
    }),
    "instructions.discover": async (params, scope) => {
      const at = await places(
        scope,
        "instructions.discover",
        params.projectPaths,
        params.excludeHostInstructions,
      );
      return { sources: await instructionsAt(sources.load, at) };
    },
    "instructions.getDiscoveryPaths": async (params, scope) => ({
      paths: instructionPathsAt(
        await places(
          scope,
          "instructions.getDiscoveryPaths",
          params.projectPaths,
          params.excludeHostInstructions,
        ),
      ),
    }),
  } satisfies Methods;
}
