/** The tools `task`, `read_agent`, `list_agents` and `write_agent`. */
import type { ModelTool } from "../../../models/model-provider.ts";
import type { Tool } from "../../../tools/tool.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { SessionSettings } from "../../members/session-settings.ts";
import type { Session } from "../../open/session.ts";
import { Slot } from "../../open/slot.ts";
import { builtInAgentsOf, ownAgents } from "../agents/agents.ts";
import type { AgentToolUser } from "./agent-tool-bodies.ts";
import { LIST_AGENTS, READ_AGENT, taskToolFor, WRITE_AGENT } from "./agent-tool-definitions.ts";
import type { SubAgentServices } from "./sub-agent.ts";

const DEFAULT_MAX_DEPTH = 2;

/**
 * None when there is nobody to hand a task to, or it would go too deep. The tools for agents that were started come
 * with the first of them, and stay: most sessions start none, and every request carries what is offered.
 */
export function createAgentTools(services: SubAgentServices, user: AgentToolUser): readonly Tool[] {
  const { settings } = user.session;
  if (user.depth >= (settings.subagents?.maxDepth ?? DEFAULT_MAX_DEPTH)) return [];
  const agents = dispatchableAgents(user.session);
  if (agents.length === 0) return [];
  const bodies = async () => {
    const { agentToolBodies } = await import("./agent-tool-bodies.ts");
    return agentToolBodies(services, user);
  };
  const task = new AgentTool(taskToolFor(agents), async (...call) => (await bodies()).start(agents, ...call));
  const { hasHadAgents, openAgents, idleAgents } = user.session.state;
  if (!hasHadAgents && !openAgents && !idleAgents) return [task];
  return [
    task,
    new AgentTool(READ_AGENT, async (...call) => (await bodies()).read(...call)),
    new AgentTool(LIST_AGENTS, async (...call) => (await bodies()).list(...call)),
    new AgentTool(WRITE_AGENT, async (...call) => (await bodies()).write(...call)),
  ];
}

interface Dispatchable {
  readonly settings: SessionSettings;
  readonly own: readonly AgentDefinition[] | undefined;
  readonly agents: readonly AgentDefinition[];
}

/** Asked before every model call; settings that change are another object. */
const dispatchable = new Slot<Dispatchable>("awake");

/** Those that a model may hand tasks to. */
export function dispatchableAgents(session: Session): readonly AgentDefinition[] {
  const { settings } = session;
  const own = ownAgents.of(session);
  const known = dispatchable.of(session);
  if (known?.settings === settings && known.own === own) return known.agents;
  const off = settings.subagents?.disabledSubagents ?? [];
  const agents = [...builtInAgentsOf(settings, own ?? []), ...(own ?? [])].filter(
    ({ name }) => !off.includes(name),
  );
  dispatchable.set(session, { settings, own, agents });
  return agents;
}

class AgentTool implements Tool {
  readonly source = "builtin";
  readonly definition: ModelTool;
  readonly run: Tool["run"];

  constructor(definition: ModelTool, run: Tool["run"]) {
    this.definition = definition;
    this.run = run;
  }
}
