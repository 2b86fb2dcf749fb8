/** The tools by which a model hands out tasks, as it is offered them. */
import type { ModelTool } from "../../../models/model-provider.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";

export const READ_AGENT: ModelTool = {
  name: "read_agent",
  description: "Reads a background agent's answer or state. You are told when it ends: do not ask before.",
  parameters: {
    type: "object",
    properties: {
      agent_id: { type: "string" },
      wait: { type: "boolean" },
      timeout: { type: "number", description: "Seconds to wait: 30, up to 180." },
      since_turn: { type: "integer", description: "Answers from this on." },
    },
    required: ["agent_id"],
  },
};

export const LIST_AGENTS: ModelTool = {
  name: "list_agents",
  description: "Lists agents with tasks: ids, states.",
  parameters: {
    type: "object",
    properties: { include_completed: { type: "boolean" } },
  },
};

export const WRITE_AGENT: ModelTool = {
  name: "write_agent",
  description: "Tells an agent more about its task, also when it has answered. A new task needs a new agent.",
  parameters: {
    type: "object",
    properties: {
      agent_id: { type: "string" },
      message: { type: "string" },
    },
    required: ["agent_id", "message"],
  },
};

/** Applications declare the same agents in every session; one copy of each definition serves all. */
const taskTools = new Map<string, ModelTool>();
const MOST_KEPT = 200;
const byAgents = new WeakMap<readonly AgentDefinition[], ModelTool>();

/** All of them, as a session with these agents is offered them. */
export function agentToolDefinitions(agents: readonly AgentDefinition[]): readonly ModelTool[] {
  return [taskToolFor(agents), READ_AGENT, LIST_AGENTS, WRITE_AGENT];
}

export function taskToolFor(agents: readonly AgentDefinition[]): ModelTool {
  const before = byAgents.get(agents);
  if (before) return before;
  const key = JSON.stringify(agents.map(({ name, description, infer }) => [name, description, infer]));
  const tool = taskTools.get(key) ?? createTaskTool(agents);
  if (taskTools.size >= MOST_KEPT) taskTools.clear();
  taskTools.set(key, tool);
  byAgents.set(agents, tool);
  return tool;
}

function createTaskTool(agents: readonly AgentDefinition[]): ModelTool {
  const lines = agents.map(({ name, description, infer }) => {
    const about = description.replace(/\s+/g, " ").trim();
    return `- ${name}${about === "" ? "" : `: ${about}`}${infer ? "" : " (only when the user asks for it by name)"}`;
  });
  return {
    name: "task",
    description: `Hands a task of many steps or much reading to an agent with a context of its own, which reports. It knows nothing of this conversation: tell it all that matters. Start independent tasks together.
${lines.join("\n")}`,
    parameters: {
      type: "object",
      properties: {
        agent_type: { type: "string", enum: agents.map(({ name }) => name) },
        name: { type: "string", description: "Short-with-dashes." },
        description: { type: "string", description: "3 to 5 words for the user." },
        prompt: { type: "string" },
        mode: {
          type: "string",
          enum: ["sync", "background"],
          description: "sync (default) waits.",
        },
        model: { type: "string", description: "Only if the user asks." },
        reasoning_effort: { type: "string", description: "Only if the user asks." },
      },
      required: ["agent_type", "name", "description", "prompt"],
    },
  };
}
