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
import type { SessionSettings } from "../session/members/session-settings.ts";
import { applyChecked } from "../session/open/change-session.ts";
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
      let found: AgentDefinition | undefined;
      const check = async (settings: SessionSettings) => {
        const place = { settings, workingDirectory: workingDirectoryOf(services.runs, session) };
        found = await requireAgent(place, services.join.agents, params.name, "session.agent.select: name");
        assertAgentModel(found, settings.model);
      };
      const agent = await applyChecked(session, check, () => {
        const agent = found as AgentDefinition;
        selectAgent(session, agent);
        return agent;
      });
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
    "session.agent.setPrompt": ofSession(async (session, params, scope) => {
      const agent = await findAgent(session, services.join.agents, params.id);
      if (!agent) {
        const message = `session.agent.setPrompt: id: expected the id of an agent, got '${params.id}'`;
        throw new RpcError("invalid_params", message, { path: "id" });
      }
      const { agentPrompts } = session.settings;
      session.say({ agentPrompts: { ...agentPrompts, [agent.id]: params.prompt } }, scope.link);
      if (session.agent?.id === agent.id) session.agent = { ...session.agent, prompt: params.prompt };
      return null;
    }),
  } satisfies Methods;
}
