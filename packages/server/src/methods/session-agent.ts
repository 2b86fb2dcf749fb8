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
import { type Methods, type Scope, type Services, sessionOf } from "./services.ts";

interface ById {
  sessionId: string;
}

export function sessionAgentMethods(services: Services): Methods {
  return {
    "session.agent.list": async (
      params: ById & { includeBuiltInAgents?: boolean; includePrompt?: boolean },
      scope: Scope,
    ) => {
      const session = await sessionOf(services, scope, params);
      const { agents } = await agentsOf(session, services.join.agents);
      const builtIn = params.includeBuiltInAgents ? builtInAgentsOf(session.settings, agents) : [];
      return { agents: [...agents, ...builtIn].map((agent) => toAgentInfo(agent, params.includePrompt)) };
    },
    "session.agent.getCurrent": async (params: ById, scope: Scope) => {
      const { agent } = await sessionOf(services, scope, params);
      return { agent: agent ? toAgentInfo(agent) : null };
    },
    "session.agent.select": async (params: ById & { name: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
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
    },
    "session.agent.deselect": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      deselectAgent(session);
      await session.committed();
      return null;
    },
    // Files are looked at whenever they matter; clients are told what there is now.
    "session.agent.reload": async (params: ById, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
      const found = await agentsOf(session, services.join.agents);
      tellAgents(session, found);
      return { agents: found.agents.map((agent: AgentDefinition) => toAgentInfo(agent)) };
    },
    "session.agent.setPrompt": async (params: ById & { id: string; prompt: string }, scope: Scope) => {
      const session = await sessionOf(services, scope, params);
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
    },
  };
}
