/** Which tools a session's settings let in. */
import type { ToolSource } from "../tools/tool.ts";
import type { SessionSettings } from "./session-settings.ts";

export interface NamedTool {
  readonly name: string;
  readonly source: ToolSource;
}

/** Whether the settings let the tool in. `defaultAgent` keeps it from the main agent alone. */
export function isChosen(settings: SessionSettings, tool: NamedTool): boolean {
  const { availableTools, excludedTools, defaultAgentExcludedTools } = settings;
  const isNamed = (patterns: readonly string[] | undefined) =>
    patterns?.some((pattern) => matchesTool(pattern, tool)) === true;
  if (availableTools !== undefined && !isNamed(availableTools)) return false;
  if (isNamed(defaultAgentExcludedTools)) return false;
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
