/** Which sub-agents there are. What they say is in the log, and in no state but their own. A rewind leaves them as they are. */
import type { Data, LoggedEvent } from "./fold.ts";
import { type IdleAgent, MOST_IDLE_AGENTS, type OpenAgent, type SessionState } from "./session-state.ts";

type AgentFold = (state: SessionState, agentId: string, data: Data) => void;

const AGENT_FOLDS: Readonly<Record<string, AgentFold>> = {
  "subagent.started": (state, agentId, { toolCallId, agentName, agentDisplayName }) => {
    end(state, agentId);
    const started = { agentId, toolCallId, agentName, agentDisplayName } as OpenAgent;
    state.openAgents = [...(state.openAgents ?? []), started];
    state.hasHadAgents = true;
  },
  "subagent.completed": end,
  "subagent.failed": end,
  "rightseat.agent_idle": (state, agentId, { answer: _, ...idle }) => {
    const others = (state.idleAgents ?? []).filter((other) => other.agentId !== agentId);
    state.idleAgents = [...others, { ...idle, agentId } as IdleAgent].slice(-MOST_IDLE_AGENTS);
  },
  "rightseat.agent_gone": end,
};

/** Folds a line that carries a sub-agent's id into the state of its session. */
export function foldSubAgent(state: SessionState, { type, agentId = "", data }: LoggedEvent): void {
  AGENT_FOLDS[type]?.(state, agentId, data ?? {});
}

function end(state: SessionState, agentId: string): void {
  state.openAgents = without(state.openAgents, agentId);
  state.idleAgents = without(state.idleAgents, agentId);
}

/** Undefined for none. */
function without<T extends { readonly agentId: string }>(
  agents: readonly T[] | undefined,
  agentId: string,
): readonly T[] | undefined {
  const others = agents?.filter((other) => other.agentId !== agentId);
  return others?.length ? others : undefined;
}
