import { isDeeperThan } from "@rightseat/protocol";
import type { WireCallIds } from "../call-ids.ts";
import type { ModelReasoning, ModelToolCall } from "../model-provider.ts";
import { toToolName } from "../tool-names.ts";

/**
 * Thinking blocks must go back unchanged and where they stood. Nearly every answer has the plain order
 * (one thinking block, text, tool calls), for which `ModelReasoning` suffices: the thinking as `text`,
 * the signature as `opaque`; a redacted block has no `text`, and its data as `opaque`. For every other
 * order `opaque` is this list as JSON; text and calls are not repeated in it, only their extent.
 */
export type LayoutItem =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string }
  | { readonly type: "text"; readonly characters: number }
  | { readonly type: "tool_use" };

type Block = Record<string, unknown>;

/** What to keep of an answer's layout; undefined when nothing was thought. */
export function toReasoning(layout: readonly LayoutItem[]): ModelReasoning | undefined {
  const thoughts = layout.filter((item) => item.type === "thinking" || item.type === "redacted_thinking");
  const [first] = thoughts;
  if (first === undefined) return undefined;
  const text = thoughts.map((thought) => (thought.type === "thinking" ? thought.thinking : "")).join("\n\n");
  if (thoughts.length > 1 || layout[0] !== first || !isPlain(layout.slice(1)))
    return { text, opaque: JSON.stringify(layout) };
  return first.type === "thinking"
    ? { text, opaque: first.signature || undefined }
    : { opaque: first.data || undefined };
}

function isPlain(rest: readonly LayoutItem[]): boolean {
  return rest.every((item, index) => item.type === "tool_use" || (item.type === "text" && index === 0));
}

/** The content of an assistant message, in its original order as far as it is known. */
export function toAssistantBlocks(
  { content, toolCalls }: { readonly content: string; readonly toolCalls: readonly ModelToolCall[] },
  reasoning: ModelReasoning | undefined,
  ids: WireCallIds,
): Block[] {
  // The API refuses blank text, and thinking that nothing follows.
  const isBlank = content.trim() === "";
  if (isBlank && toolCalls.length === 0) return [];
  const callIds = ids.ofCalls(toolCalls);
  const calls = toolCalls.map((call, index) => toToolUse(call, callIds[index] ?? call.id));
  const layout = parseLayout(reasoning);
  const ordered = layout === undefined ? undefined : inOrder(layout, content, calls);
  if (ordered !== undefined) return ordered;
  const text = isBlank ? [] : [{ type: "text", text: content }];
  return [...toThoughts(reasoning, layout), ...text, ...calls];
}

function inOrder(
  layout: readonly LayoutItem[],
  content: string,
  calls: readonly Block[],
): Block[] | undefined {
  let at = 0;
  let nextCall = 0;
  const blocks = layout.map((item): Block | undefined => {
    if (item.type === "tool_use") return calls[nextCall++];
    if (item.type !== "text") return item;
    at += item.characters;
    return { type: "text", text: content.slice(at - item.characters, at) };
  });
  // Somebody changed the message since: its parts cannot be told any more.
  const fits = at === content.length && nextCall === calls.length;
  return fits ? (blocks.filter((block) => block !== undefined && !isBlankText(block)) as Block[]) : undefined;
}

function isBlankText({ type, text }: Block): boolean {
  return type === "text" && typeof text === "string" && text.trim() === "";
}

function toThoughts(
  reasoning: ModelReasoning | undefined,
  layout: readonly LayoutItem[] | undefined,
): Block[] {
  if (layout !== undefined)
    return layout.filter((item) => item.type === "thinking" || item.type === "redacted_thinking");
  // Thinking without a signature is somebody else's, or unfinished: the API takes neither.
  if (reasoning?.opaque === undefined || isForeign(reasoning.opaque)) return [];
  if (reasoning.text === undefined) return [{ type: "redacted_thinking", data: reasoning.opaque }];
  return [{ type: "thinking", thinking: reasoning.text, signature: reasoning.opaque }];
}

/** Opaque reasoning of another API, after a session changed its provider; see copilot/stream.ts. */
function isForeign(opaque: string): boolean {
  return opaque.startsWith("github:");
}

function parseLayout(reasoning: ModelReasoning | undefined): LayoutItem[] | undefined {
  if (!reasoning?.opaque?.startsWith("[{")) return undefined;
  try {
    return (JSON.parse(reasoning.opaque) as LayoutItem[]).filter(isSigned);
  } catch {
    return undefined;
  }
}

/** The API refuses thinking that nobody signed, as gateways in front of other models send it. */
function isSigned(item: LayoutItem): boolean {
  if (item.type === "thinking") return Boolean(item.signature);
  return item.type !== "redacted_thinking" || Boolean(item.data);
}

function toToolUse(call: ModelToolCall, id: string): Block {
  return { type: "tool_use", id, name: toToolName(call.name), input: parseInput(call.arguments) };
}

/** The API takes objects only; what the model wrote otherwise goes back to it under a telling name. */
function parseInput(text: string): unknown {
  try {
    const parsed: unknown = isDeeperThan(text) ? undefined : JSON.parse(text || "{}");
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch {
    // Falls through to the text itself.
  }
  return { invalid_json: text };
}
