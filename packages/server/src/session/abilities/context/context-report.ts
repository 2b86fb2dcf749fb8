/** What the model's context is made of, for clients: figures, by source and by message. */
import { cutText } from "@rightseat/protocol";
import { promptLimit } from "../../../agent/context-use.ts";
import { withoutTime } from "../../../agent/prompt-time.ts";
import type { ActiveModel } from "../../../agent/run-host.ts";
import { tokensOfMessage, tokensOfMessages, tokensOfTool, tokensOfTools } from "../../../agent/tokens.ts";
import type { ModelMessage, ModelTool } from "../../../models/model-provider.ts";
import type { Session } from "../../open/session.ts";
import { BACKGROUND_THRESHOLD, EXHAUSTION_THRESHOLD } from "./fit-context.ts";
import type { ModelCallServices } from "./manual-compaction.ts";

export interface ReportedContext {
  readonly session: Session;
  readonly model: ActiveModel;
  readonly tools: readonly ToolOfReport[];
  /** Limits that a client wants it measured against; the model's own where it names none. */
  readonly promptTokenLimit?: number;
  readonly outputTokenLimit?: number;
}

export interface Limits {
  readonly promptTokenLimit?: number;
  readonly outputTokenLimit?: number;
  /** Another model than the session's, to see how it would fit. */
  readonly selectedModel?: string;
}

interface ToolOfReport {
  readonly source: string;
  readonly definition: ModelTool;
}

export type ContextInfo = NonNullable<ReturnType<typeof contextInfo>>;

/** @throws as `resolveModel`, where it cannot be told which model the session has. */
export async function reportedContext(
  services: Pick<ModelCallServices, "resolveModel" | "toolSet">,
  session: Session,
  limits: Limits = {},
): Promise<ReportedContext> {
  const { settings } = session;
  const { selectedModel, promptTokenLimit, outputTokenLimit } = limits;
  const asked = { ...settings, model: selectedModel ?? settings.model };
  const model = await services.resolveModel(session, asked);
  const toolSet = services.toolSet(session);
  const tools = toolSet.definitions.map((definition) => ({
    definition,
    source: toolSet.get(definition.name)?.source ?? "builtin",
  }));
  return { session, model, tools, promptTokenLimit, outputTokenLimit };
}

/** Figures of the whole; undefined until the first model call has made the session's system message. */
export function contextInfo(context: ReportedContext) {
  const { session, model, tools } = context;
  const { systemTokens, messages } = session.state;
  if (systemTokens === undefined) return undefined;
  const { infiniteSessions } = session.settings;
  const promptTokenLimit = context.promptTokenLimit || promptLimit(model);
  const outputTokenLimit = context.outputTokenLimit || (model.maxOutputTokens ?? 0);
  const conversationTokens = tokensOfMessages(messages);
  const toolDefinitionsTokens = tokensOfTools(tools.map((tool) => tool.definition));
  const share = (threshold: number) => Math.round(promptTokenLimit * Math.min(1, Math.max(0, threshold)));
  return {
    modelName: model.id,
    systemTokens,
    conversationTokens,
    toolDefinitionsTokens,
    mcpToolsTokens: tokensOfTools(mcp(tools)),
    totalTokens: systemTokens + conversationTokens + toolDefinitionsTokens,
    promptTokenLimit,
    compactionThreshold: share(infiniteSessions?.backgroundCompactionThreshold ?? BACKGROUND_THRESHOLD),
    limit: promptTokenLimit + outputTokenLimit,
    bufferTokens:
      outputTokenLimit +
      promptTokenLimit -
      share(infiniteSessions?.bufferExhaustionThreshold ?? EXHAUSTION_THRESHOLD),
  };
}

interface Entry {
  readonly kind: string;
  readonly id: string;
  readonly label: string;
  readonly tokens: number;
  readonly parentId?: string;
}

/** The same, by where it came from; undefined as above. */
export function contextAttribution(context: ReportedContext) {
  const info = contextInfo(context);
  if (!info) return undefined;
  const { session, model, tools } = context;
  const { limit, bufferTokens } = info;
  return {
    totalTokens: info.totalTokens,
    modelId: model.id,
    modelSource: session.settings.model === undefined ? "default" : "selected",
    promptTokenLimit: info.promptTokenLimit,
    limit,
    bufferTokens,
    compactionThreshold: info.compactionThreshold,
    categories: {
      systemPrompt: info.systemTokens,
      customInstructions: 0,
      systemTools: info.toolDefinitionsTokens - info.mcpToolsTokens,
      mcpTools: info.mcpToolsTokens,
      messages: info.conversationTokens,
      freeSpace: Math.max(0, limit - info.totalTokens - bufferTokens),
      buffer: bufferTokens,
    },
    entries: [
      { kind: "system", id: "systemPrompt", label: "System message", tokens: info.systemTokens },
      {
        kind: "system",
        id: "toolDefinitions",
        label: "Tool definitions",
        tokens: info.toolDefinitionsTokens,
      },
      ...tools.map(({ definition }) => ({
        kind: "toolDefinition",
        id: `toolDefinition:${definition.name}`,
        label: definition.name,
        tokens: tokensOfTool(definition),
        parentId: "toolDefinitions",
      })),
      ...toolEntries(session.state.messages),
    ] satisfies Entry[],
    compactions: { count: session.state.compactions ?? 0 },
  };
}

/** What each tool's results take up. */
function toolEntries(messages: readonly ModelMessage[]): Entry[] {
  const names = toolNames(messages);
  const byTool = new Map<string, number>();
  for (const message of messages) {
    if (message.role !== "tool") continue;
    const name = names.get(message.toolCallId) ?? "unknown";
    byTool.set(name, (byTool.get(name) ?? 0) + tokensOfMessage(message));
  }
  return [...byTool].map(([name, tokens]) => ({ kind: "tool", id: `tool:${name}`, label: name, tokens }));
}

const HEAVIEST = 10;
const LABEL_CHARACTERS = 60;

/** The largest messages, largest first. */
export function heaviestMessages(context: ReportedContext, limit = HEAVIEST) {
  const info = contextInfo(context);
  if (!info) return { totalTokens: 0, messages: [] };
  const { messages } = context.session.state;
  const names = toolNames(messages);
  const weighed = messages.map((message, index) => ({
    id: `message-${index}`,
    label: labelOf(message, names),
    role: message.role,
    tokens: tokensOfMessage(message),
  }));
  weighed.sort((one, other) => other.tokens - one.tokens);
  return { totalTokens: info.totalTokens, messages: weighed.slice(0, Math.max(0, limit)) };
}

/** Totals of what the session holds now. */
export function contextTokens({ state }: Session) {
  const messagesTokenCount = tokensOfMessages(state.messages);
  const systemTokenCount = state.systemTokens ?? 0;
  return { totalTokens: messagesTokenCount + systemTokenCount, messagesTokenCount, systemTokenCount };
}

function mcp(tools: readonly ToolOfReport[]): ModelTool[] {
  return tools.filter((tool) => tool.source === "mcp").map((tool) => tool.definition);
}

function toolNames(messages: readonly ModelMessage[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const message of messages)
    if (message.role === "assistant") for (const call of message.toolCalls) names.set(call.id, call.name);
  return names;
}

function labelOf(message: ModelMessage, names: ReadonlyMap<string, string>): string {
  if (message.role === "tool") return `tool: ${names.get(message.toolCallId) ?? "unknown"}`;
  const content =
    typeof message.content === "string"
      ? message.content
      : message.content.map((part) => (part.type === "text" ? part.text : part.type)).join(" ");
  const line = cutText(withoutTime(content), LABEL_CHARACTERS * 2)
    .replace(/\s+/g, " ")
    .trim();
  return `${message.role}: ${line.length > LABEL_CHARACTERS ? `${cutText(line, LABEL_CHARACTERS)}…` : line}`;
}
