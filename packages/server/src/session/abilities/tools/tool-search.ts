/**
 * Tool search: with many tools, those that may wait are kept from the model until it looks for them with
 * `tool_search_tool`. What was found once stays offered, also after a restart.
 */
import type { ModelTool } from "../../../models/model-provider.ts";
import type { Tool, ToolResult } from "../../../tools/tool.ts";
import { optionalNumber, requiredText, toArguments } from "../../../tools/tool-arguments.ts";
import type { Conversation } from "../../open/conversation.ts";
import { rankTools } from "./rank-tools.ts";
import { matchesTool } from "./tool-filter.ts";

export const TOOL_SEARCH_TOOL = "tool_search_tool";
/** With more tools than this, some wait; unless the session says otherwise. */
const DEFAULT_THRESHOLD = 30;
const DEFAULT_LIMIT = 5;
const MAX_LIMIT = 20;
/** How many names of waiting tools the model is told from the start. */
const MAX_NAMES = 200;
const STRATEGY = "keywords";

export interface DeferredTools {
  /** What the model is offered now, the tool search among it. */
  readonly offered: readonly Tool[];
  /** What it may find. */
  readonly waiting: readonly Tool[];
}

/** Which of the chosen tools wait. */
export function deferTools(conversation: Conversation, chosen: readonly Tool[]): DeferredTools {
  const { toolSearch, excludedTools } = conversation.session.settings;
  const threshold = toolSearch?.deferThreshold ?? DEFAULT_THRESHOLD;
  if (toolSearch?.enabled !== true || chosen.length <= threshold) return { offered: chosen, waiting: [] };
  const own = { name: TOOL_SEARCH_TOOL, source: "builtin" } as const;
  const override = chosen.find(isSearch);
  // What could not be found must not wait.
  if (!override && excludedTools?.some((pattern) => matchesTool(pattern, own)))
    return { offered: chosen, waiting: [] };
  const activated = new Set(conversation.state.activatedTools);
  const mayWait = (tool: Tool) =>
    tool.mayBeDeferred === true && tool !== override && !activated.has(tool.definition.name);
  const waiting = chosen.filter(mayWait);
  const rest = chosen.filter((tool) => !mayWait(tool));
  if (waiting.length === 0) return { offered: chosen, waiting };
  return { offered: override ? rest : [...rest, createToolSearch(conversation, waiting)], waiting };
}

/** Offers tools from the next model call on; told to clients and kept. */
export function activateTools(conversation: Conversation, names: readonly string[]): void {
  const known = new Set(conversation.state.activatedTools);
  const fresh = names.filter((name) => !known.has(name));
  if (fresh.length > 0)
    conversation.append("tool_search.activated", { strategy: STRATEGY, toolNames: fresh });
}

function isSearch(tool: Tool): boolean {
  return tool.definition.name === TOOL_SEARCH_TOOL;
}

function createToolSearch(conversation: Conversation, waiting: readonly Tool[]): Tool {
  const tools = waiting.map((tool) => tool.definition);
  return {
    source: "builtin",
    definition: describe(tools),
    run: async (args) => {
      const given = toArguments(args);
      const limit = optionalNumber(given, "limit", { min: 1, max: MAX_LIMIT }) ?? DEFAULT_LIMIT;
      const found = rankTools(tools, requiredText(given, "query"), Math.floor(limit));
      activateTools(
        conversation,
        found.map((tool) => tool.name),
      );
      return toResult(found);
    },
  };
}

function describe(tools: readonly ModelTool[]): ModelTool {
  const names = tools.slice(0, MAX_NAMES).map((tool) => tool.name);
  const more = tools.length > names.length ? ` and ${tools.length - names.length} more` : "";
  return {
    name: TOOL_SEARCH_TOOL,
    description: `Makes more tools available. These can be called only after a search has found them: ${names.join(", ")}${more}.`,
    parameters: {
      type: "object",
      properties: {
        query: { type: "string", description: "A tool's name, or words on what it should do." },
        limit: {
          type: "integer",
          minimum: 1,
          maximum: MAX_LIMIT,
          description: `At most so many tools. Default ${DEFAULT_LIMIT}.`,
        },
      },
      required: ["query"],
    },
  };
}

function toResult(found: readonly ModelTool[]): ToolResult {
  if (found.length === 0)
    return { resultType: "success", text: "No tool fits. Try other words, or one of the names." };
  const lines = found.map((tool) => `- ${tool.name}: ${tool.description}`);
  return { resultType: "success", text: `These can be called from now on:\n${lines.join("\n")}` };
}
