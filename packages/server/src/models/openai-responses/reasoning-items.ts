import type { ModelReasoning } from "../model-provider.ts";

/** A reasoning item of an answer. */
export interface ReasoningItem {
  readonly id: string;
  readonly summary: readonly string[];
  readonly encrypted: string | undefined;
}

/**
 * Nearly every answer has one reasoning item: its id and content go into `ModelReasoning` as they are.
 * Several are kept as JSON in `encrypted`, since each has to go back.
 */
export function toReasoning(items: readonly ReasoningItem[]): ModelReasoning | undefined {
  const [first] = items;
  if (first === undefined) return undefined;
  const text = items.flatMap((item) => item.summary).join("\n\n") || undefined;
  if (items.length === 1) return { text, encrypted: first.encrypted, id: first.id };
  return { text, encrypted: JSON.stringify(items), id: first.id };
}

/** The input items that give the reasoning back; none without encrypted content, since nothing is stored. */
export function toReasoningInput(reasoning: ModelReasoning | undefined): Record<string, unknown>[] {
  if (reasoning?.encrypted === undefined) return [];
  return parseItems(reasoning)
    .filter((item) => item.encrypted !== undefined)
    .map(toInputItem);
}

function parseItems(reasoning: ModelReasoning): readonly ReasoningItem[] {
  const { encrypted, id = "", text } = reasoning;
  if (encrypted?.startsWith("[{")) {
    try {
      return JSON.parse(encrypted) as ReasoningItem[];
    } catch {
      // Not a list of ours: one item's content.
    }
  }
  return [{ id, summary: text === undefined ? [] : [text], encrypted }];
}

function toInputItem(item: ReasoningItem): Record<string, unknown> {
  return {
    type: "reasoning",
    ...(item.id !== "" && { id: item.id }),
    summary: item.summary.map((text) => ({ type: "summary_text", text })),
    encrypted_content: item.encrypted,
  };
}
