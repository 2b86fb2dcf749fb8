/** The tools of a session's next model call: its clients' own and the server's, as its settings choose. */
import type { ToolSet } from "../agent/run-host.ts";
import type { Tool } from "../tools/tool.ts";
import { createCustomTool } from "./custom-tool.ts";
import { awaitedTools } from "./lost-clients.ts";
import type { Session } from "./session.ts";
import type { SessionSettings } from "./session-settings.ts";

/** @param builtIn makes the server's own tools for this session; asked only when its settings let any in. */
export function toolSetOf(session: Session, builtIn: () => readonly Tool[]): ToolSet {
  const tools = new Map<string, Tool>();
  const wantsBuiltIn =
    session.settings.availableTools?.some((pattern) => !/^(custom|mcp):/.test(pattern)) ?? true;
  if (wantsBuiltIn) for (const tool of builtIn()) tools.set(tool.definition.name, tool);
  for (const spec of awaitedTools(session)) tools.set(spec.name, createCustomTool(session, spec));
  for (const attachment of session.attachments.values()) {
    for (const spec of attachment.tools.values()) tools.set(spec.name, createCustomTool(session, spec));
  }
  const chosen = [...tools.values()].filter((tool) => isChosen(session.settings, tool));
  const byName = new Map(chosen.map((tool) => [tool.definition.name, tool]));
  return { definitions: chosen.map((tool) => tool.definition), get: (name) => byName.get(name) };
}

function isChosen(settings: SessionSettings, tool: Tool): boolean {
  const { availableTools, excludedTools, defaultAgentExcludedTools } = settings;
  const isNamed = (patterns: readonly string[] | undefined) =>
    patterns?.some((pattern) => matchesTool(pattern, tool)) === true;
  if (availableTools !== undefined && !isNamed(availableTools)) return false;
  if (isNamed(defaultAgentExcludedTools)) return false;
  if (settings.askUserDisabled && tool.source === "builtin" && tool.definition.name === "ask_user")
    return false;
  if (availableTools !== undefined && settings.toolFilterPrecedence === "available") return true;
  return !isNamed(excludedTools);
}

/** A tool's name, or `source:name` with `*` for any name of that source (`builtin:*`, `custom:lookup`). */
export function matchesTool(pattern: string, tool: Pick<Tool, "definition" | "source">): boolean {
  const colon = pattern.indexOf(":");
  if (colon > 0) {
    const source = pattern.slice(0, colon);
    if (source !== tool.source) return false;
    const name = pattern.slice(colon + 1);
    return name === "*" || name === tool.definition.name;
  }
  return pattern === tool.definition.name;
}
