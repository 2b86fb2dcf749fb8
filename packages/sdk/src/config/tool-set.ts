/** Says which tools a session has: patterns of a source and a name. */

const TOOL_NAME = /^[a-zA-Z0-9_-]+$/;

/**
 * Builds a list for `availableTools` or `excludedTools`.
 *
 * @example
 * const tools = new ToolSet().addBuiltIn(BuiltInTools.Isolated).addCustom("*");
 */
export class ToolSet {
  readonly #patterns: string[] = [];

  /** The server's own tools: a name, several, or `*` for all. @throws Error for what cannot be a name. */
  addBuiltIn(names: string | readonly string[]): ToolSet {
    for (const name of typeof names === "string" ? [names] : names) this.#add("builtin", name);
    return this;
  }

  /** The application's tools: a name, or `*` for all. @throws Error for what cannot be a name. */
  addCustom(name: string): ToolSet {
    return this.#add("custom", name);
  }

  /** Tools of MCP servers: a name as the model sees it, or `*` for all. @throws Error for what cannot be a name. */
  addMcp(toolName: string): ToolSet {
    return this.#add("mcp", toolName);
  }

  /** A copy of the patterns so far. */
  toArray(): string[] {
    return [...this.#patterns];
  }

  #add(source: string, name: string): ToolSet {
    if (name !== "*" && !TOOL_NAME.test(name)) {
      throw new Error(
        `Invalid ${source} tool name '${name}': tool names must match ${TOOL_NAME} or be the wildcard '*'.`,
      );
    }
    this.#patterns.push(`${source}:${name}`);
    return this;
  }
}

/** Names of the server's tools that go together. */
export const BuiltInTools = {
  /** Tools that touch nothing outside their session: no files, no processes, no network, no other session. */
  Isolated: [
    "ask_user",
    "task_complete",
    "exit_plan_mode",
    "task",
    "read_agent",
    "write_agent",
    "list_agents",
    "send_inbox",
    "context_board",
    "skill",
  ] as readonly string[],
} as const;

/** The list as it is sent. @throws Error for a bare `*`, which would match nothing. */
export function toToolPatterns(
  field: string,
  tools: readonly string[] | ToolSet | undefined,
): readonly string[] | undefined {
  const list = tools && "toArray" in tools ? tools.toArray() : tools;
  if (list?.includes("*")) {
    throw new Error(
      `Invalid ${field} entry '*': there is no bare wildcard. Use \`new ToolSet().addBuiltIn('*')\`, \`.addMcp('*')\` or \`.addCustom('*')\`.`,
    );
  }
  return list;
}
