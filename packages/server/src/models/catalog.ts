import { MODEL_FAMILIES } from "./catalog-data.ts";
import type { ModelFacts } from "./model-facts.ts";

export type { ModelFacts } from "./model-facts.ts";

/**
 * Taken for models that the catalogue does not know: a window that nearly every current model has, an
 * answer that none refuses, no vision (an image that a model cannot take fails the request), tools.
 */
export const DEFAULT_MODEL_FACTS: ModelFacts = {
  contextWindowTokens: 128_000,
  maxOutputTokens: 8_192,
  supportsVision: false,
  supportsTools: true,
  reasoningEfforts: [],
};

/** Corrections by model id or family prefix, from configuration or a provider's own list. */
export type ModelOverrides = Readonly<Record<string, Partial<ModelFacts>>>;

/**
 * The facts of a model: its family's, corrected by the overrides. Ids match by prefix up to a word's
 * end, the longest wins, so dated and sized variants need no entries (`gpt-4o-2024-08-06`,
 * `llama3.1:8b`); what stands before the last `/` is ignored (`openrouter`'s `anthropic/claude-…`), and
 * `4.5` is `4-5`.
 */
export function lookUpModel(id: string, overrides: ModelOverrides = {}): ModelFacts {
  const known = findFamily(id) ?? DEFAULT_MODEL_FACTS;
  const override = findByPrefix(normaliseModelId(id), Object.entries(overrides));
  return override === undefined ? known : { ...known, ...override };
}

/** Whether the catalogue has an entry of its own for the model. */
export function isKnownModel(id: string): boolean {
  return findFamily(id) !== undefined;
}

/** Asked before every model call, of few models. */
const found = new Map<string, ModelFacts | undefined>();
const MOST_FOUND = 1000;

function findFamily(id: string): ModelFacts | undefined {
  if (found.has(id)) return found.get(id);
  const facts = findByPrefix(normaliseModelId(id), MODEL_FAMILIES);
  if (found.size >= MOST_FOUND) found.clear();
  found.set(id, facts);
  return facts;
}

function findByPrefix<T>(id: string, entries: readonly (readonly [string, T])[]): T | undefined {
  let best: T | undefined;
  let bestLength = 0;
  for (const [family, facts] of entries) {
    const prefix = normaliseModelId(family);
    if (prefix.length > bestLength && isPrefix(prefix, id)) {
      best = facts;
      bestLength = prefix.length;
    }
  }
  return best;
}

/** `gpt-5` begins `gpt-5-mini` and `gpt-5:x`, but neither `gpt-50` nor, as `gpt-5-2`, `gpt-5-2025-08-07`. */
function isPrefix(prefix: string, id: string): boolean {
  return id.startsWith(prefix) && !/[a-z0-9]/.test(id.charAt(prefix.length));
}

function normaliseModelId(id: string): string {
  const name = id.slice(id.lastIndexOf("/") + 1).toLowerCase();
  // Bedrock writes `eu.anthropic.claude-…`.
  return name
    .replace(/^(?:[a-z]{2,6}\.)?(?:anthropic|meta|mistral|deepseek|openai|qwen)\./, "")
    .replace(/(\d)\.(?=\d)/g, "$1-");
}
