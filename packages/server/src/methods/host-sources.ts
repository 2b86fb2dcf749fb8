/** Methods on agents and instructions that files define, without a session: `agents.*`, `instructions.*`. */
import { agentPathsAt, agentsAt, instructionPathsAt, instructionsAt } from "../discovery/host-sources.ts";
import { toFileAgentInfo } from "../session/agents/agents.ts";
import { projectsAt } from "../session/workspace/projects.ts";
import type { Methods, Services } from "./services.ts";

interface AgentPlaces {
  projectPaths?: string[];
  excludeHostAgents?: boolean;
}

interface InstructionPlaces {
  projectPaths?: string[];
  excludeHostInstructions?: boolean;
}

export function hostSourceMethods({ sources }: Services): Methods {
  const places = async (method: string, paths: string[] | undefined, withoutHost: boolean | undefined) => ({
    home: withoutHost ? undefined : sources.home,
    projects: await projectsAt(method, paths),
  });
  return {
    "agents.discover": async (params: AgentPlaces) => {
      const at = await places("agents.discover", params.projectPaths, params.excludeHostAgents);
      return { agents: (await agentsAt(sources.loadAgents, at)).map(toFileAgentInfo) };
    },
    "agents.getDiscoveryPaths": async (params: AgentPlaces) => ({
      paths: agentPathsAt(
        await places("agents.getDiscoveryPaths", params.projectPaths, params.excludeHostAgents),
      ),
    }),
    "instructions.discover": async (params: InstructionPlaces) => {
      const at = await places("instructions.discover", params.projectPaths, params.excludeHostInstructions);
      return { sources: await instructionsAt(sources.load, at) };
    },
    "instructions.getDiscoveryPaths": async (params: InstructionPlaces) => ({
      paths: instructionPathsAt(
        await places("instructions.getDiscoveryPaths", params.projectPaths, params.excludeHostInstructions),
      ),
    }),
  };
}
