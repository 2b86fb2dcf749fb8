/** The tools of a session's next model call: its clients' own and the server's, as its settings choose. */
import type { ToolSet } from "../../../agent/run-host.ts";
import type { Tool } from "../../../tools/tool.ts";
import type { Conversation } from "../../open/conversation.ts";
import { awaitedTools } from "../../open/lost-clients.ts";
import { createCustomTool } from "./custom-tool.ts";
import { fitsNow } from "./offered-tools.ts";
import { isChosen } from "./tool-filter.ts";
import { deferTools } from "./tool-search.ts";

/** Tools that need a person, or are about the session as a whole. */
const INTERACTIVE: ReadonlySet<string> = new Set([
  "ask_user",
  "exit_plan_mode",
  "task_complete",
  "report_intent",
]);

/** The tools of a sub-agent, which nobody talks to. */
export function withoutInteraction(tools: ToolSet): ToolSet {
  const isLeft = (name: string) => !INTERACTIVE.has(name) || tools.get(name)?.source !== "builtin";
  return {
    definitions: tools.definitions.filter(({ name }) => isLeft(name)),
    get: (name) => (isLeft(name) ? tools.get(name) : undefined),
  };
}

/** @param builtIn makes the server's own tools for this session; asked only when its settings let any in. */
export function toolSetOf(conversation: Conversation, builtIn: () => readonly Tool[]): ToolSet {
  const { session, agent } = conversation;
  const choice = { settings: session.settings, agent };
  const tools = new Map<string, Tool>();
  const wantsBuiltIn =
    session.settings.availableTools?.some((pattern) => !/^(custom|mcp):/.test(pattern)) ?? true;
  if (wantsBuiltIn)
    for (const tool of builtIn()) {
      const { name } = tool.definition;
      if (fitsNow(conversation, name)) tools.set(name, tool);
    }
  for (const spec of awaitedTools(session)) tools.set(spec.name, createCustomTool(conversation, spec));
  for (const attachment of session.attachments.values()) {
    for (const spec of attachment.tools.values()) tools.set(spec.name, createCustomTool(conversation, spec));
  }
  const chosen = [...tools.values()].filter((tool) =>
    isChosen(choice, { name: tool.definition.name, source: tool.source }),
  );
  const { offered, waiting } = deferTools(conversation, chosen);
  const byName = new Map([...chosen, ...offered].map((tool) => [tool.definition.name, tool]));
  return {
    definitions: offered.map((tool) => tool.definition),
    ...(waiting.length > 0 ? { waiting: waiting.map((tool) => tool.definition) } : {}),
    get: (name) => byName.get(name),
  };
}
