/** Methods on a session's custom agents: `session.agent.*`. */
import { RpcError } from "@rightseat/protocol";
import {
  agentsOf,
  assertAgentModel,
  builtInAgentsOf,
  deselectAgent,
  findAgent,
  requireAgent,
  selectAgent,
  tellAgents,
  toAgentInfo,
} from "../session/abilities/agents/agents.ts";
import { workingDirectoryOf } from "../session/abilities/workspace/working-directory.ts";
import type { AgentDefinition } from "../session/members/agent-definition.ts";
import { type Methods, withSession } from "./method.ts";
import type { Services } from "./services.ts";

export function sessionAgentMethods(services: Services) {
  const ofSession = withSession(services);
  return {
    "session.agent.list": ofSession(async (session, params) => {
      const { agents } = await agentsOf(session, services.join.agents);
      const builtIn = params.includeBuiltInAgents ? builtInAgentsOf(session.settings, agents) : [];
      return { agents: [...agents, ...builtIn].map((agent) => toAgentInfo(agent, params.includePrompt)) };
    }),
    "session.agent.getCurrent": ofSession(({ agent }) => ({ agent: agent ? toAgentInfo(agent) : null })),
    "session.agent.select": ofSession(async (session, params) => {
      const workingDirectory = workingDirectoryOf(services.runs, session);
      const place = { settings: session.settings, workingDirectory };
      const agent = await requireAgent(
        place,
        services.join.agents,
        params.name,
        "session.agent.select: name",
      );
      assertAgentModel(agent, session.settings.model);
      selectAgent(session, agent);
      await session.committed();
      return { agent: toAgentInfo(agent) };
    }),
    "session.agent.deselect": ofSession(async (session) => {
      deselectAgent(session);
      await session.committed();
      return null;
    }),
    // Files are looked at whenever they matter; clients are told what there is now.
    "session.agent.reload": ofSession(async (session) => {
      const found = await agentsOf(session, services.join.agents);
      tellAgents(session, found);
      return { agents: found.agents.map((agent: AgentDefinition) => toAgentInfo(agent)) };
    }),
    "session.agent.setPrompt": ofSession(async (session, params) => {
      const agent = await findAgent(session, services.join.agents, params.id);
      if (!agent) {
        const message = `session.agent.setPrompt: id: expected the id of an agent, got '${params.id}'`;
        throw new RpcError("invalid_params", message, { path: "id" });
      }
      session.changeSettings((settings) => ({
        ...settings,
        agentPrompts: { ...settings.agentPrompts, [agent.id]: params.prompt },
      }));
      if (session.agent?.id === agent.id) session.agent = { ...session.agent, prompt: params.prompt };
      return null;
    }),
  } satisfies Methods;
}
