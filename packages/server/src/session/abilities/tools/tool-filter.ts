/** Which tools a session's settings let in. */
import type { ToolSource } from "../../../tools/tool.ts";
import type { AgentDefinition } from "../../members/agent-definition.ts";
import type { SessionSettings } from "../../members/session-settings.ts";

export interface NamedTool {
  readonly name: string;
  readonly source: ToolSource;
}

/** What decides on a session's tools: its settings, and the agent that it answers as, if any. */
export interface ToolChoice {
  readonly settings: SessionSettings;
  readonly agent?: Pick<AgentDefinition, "tools">;
}

/** Whether the settings and the agent let the tool in. `defaultAgent` keeps it from the main agent alone. */
export function isChosen({ settings, agent }: ToolChoice, tool: NamedTool): boolean {
  const { availableTools, excludedTools, defaultAgentExcludedTools } = settings;
  const isNamed = (patterns: readonly string[] | undefined) =>
    patterns?.some((pattern) => matchesTool(pattern, tool)) === true;
  if (availableTools !== undefined && !isNamed(availableTools)) return false;
  if (agent ? !isAgentTool(agent.tools, tool) : isNamed(defaultAgentExcludedTools)) return false;
  if (settings.askUserDisabled && tool.source === "builtin" && tool.name === "ask_user") return false;
  if (availableTools !== undefined && settings.toolFilterPrecedence === "available") return true;
  return !isNamed(excludedTools);
}

/**
 * A pattern is a tool's name, of any source, or `source:name` (`builtin:view`, `custom:lookup`,
 * `mcp:github-list_issues`). A `*` at the end of the name stands for any rest: `mcp:github-*`, `custom:*`.
 */
export function matchesTool(pattern: string, tool: NamedTool): boolean {
  const colon = pattern.indexOf(":");
  if (colon > 0 && pattern.slice(0, colon) !== tool.source) return false;
  const name = colon > 0 ? pattern.slice(colon + 1) : pattern;
  return name.endsWith("*") ? tool.name.startsWith(name.slice(0, -1)) : name === tool.name;
}

const SHELL = ["bash", "read_bash", "write_bash", "stop_bash", "list_bash"];
const AGENTS = ["task", "read_agent", "list_agents", "write_agent"];

/** Words that agents' definitions use for tools of ours, GitHub's and Claude's; in lower case. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  read: ["view"],
  edit: ["edit", "create"],
  write: ["create"],
  multiedit: ["edit"],
  search: ["grep", "glob"],
  execute: SHELL,
  shell: SHELL,
  bash: SHELL,
  web: ["web_fetch"],
  webfetch: ["web_fetch"],
  todo: ["sql"],
  todowrite: ["sql"],
  agent: AGENTS,
  task: AGENTS,
  grep: ["grep"],
  glob: ["glob"],
};

/** Whether an agent whose definition has this list may use the tool; without a list it may use all. */
function isAgentTool(tools: readonly string[] | undefined, tool: NamedTool): boolean {
  if (tools === undefined) return true;
  return tools.some(
    (name) =>
      name === "*" ||
      matchesTool(name, tool) ||
      (tool.source === "builtin" && WORDS[name.toLowerCase()]?.includes(tool.name) === true),
  );
}
