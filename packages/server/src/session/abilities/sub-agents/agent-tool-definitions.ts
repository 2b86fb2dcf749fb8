/** The tools by which a model hands out tasks, as it is offered them. */
import type { ModelTool } from "../../../models/model-provider.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";

export const READ_AGENT: ModelTool = {
  name: "read_agent",
  description:
    "Reads what an agent that works in the background has answered, or how far it is. You are told when one has ended: there is no need to ask before.",
  parameters: {
    type: "object",
    properties: {
      agent_id: { type: "string", description: "The agent's id, from the result of task or a notification" },
      wait: { type: "boolean", description: "Waits until it has answered; default false" },
      timeout: { type: "number", description: "Seconds to wait at most; default 30, up to 180" },
      since_turn: {
        type: "integer",
        description: "Of several answers those from this one on, counted from 0",
      },
    },
    required: ["agent_id"],
  },
};

export const LIST_AGENTS: ModelTool = {
  name: "list_agents",
  description: "Lists the agents that were given tasks, with their ids and how far they are.",
  parameters: {
    type: "object",
    properties: {
      include_completed: { type: "boolean", description: "Also those that have ended; default true" },
    },
  },
};

export const WRITE_AGENT: ModelTool = {
  name: "write_agent",
  description:
    "Tells an agent more about its task: at once when it is working, otherwise it works on. It still knows what it did. For another task start another agent.",
  parameters: {
    type: "object",
    properties: {
      agent_id: { type: "string", description: "The agent's id" },
      message: { type: "string", description: "What to tell it" },
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
    description: `Hands a task to another agent, which works on it in a context of its own and answers with a report. It knows nothing of this conversation: tell it everything that matters, and what to report. Worth it for work that takes many steps or much reading; what takes a call or two, do yourself. Tasks that do not depend on each other go out together, in one step.

Agents:
${lines.join("\n")}`,
    parameters: {
      type: "object",
      properties: {
        agent_type: { type: "string", enum: agents.map(({ name }) => name), description: "Which agent" },
        name: { type: "string", description: "A short name for this task, in lower case with dashes" },
        description: { type: "string", description: "The task in three to five words, for the user" },
        prompt: { type: "string", description: "The task, complete" },
        mode: {
          type: "string",
          enum: ["sync", "background"],
          description:
            "sync waits for the report, and is the default. background goes on at once; you are told when the agent has ended",
        },
        model: { type: "string", description: "Another model for it; only when the user wants that" },
        reasoning_effort: { type: "string", description: "Another effort; only when the user wants that" },
      },
      required: ["agent_type", "name", "description", "prompt"],
    },
  };
}
