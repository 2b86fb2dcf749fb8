/** Limits and abilities of a model. Tokens are the provider's own. */
export interface ModelFacts {
  /** Prompt and answer together. */
  readonly contextWindowTokens: number;
  /** Where the provider limits the prompt by itself. */
  readonly maxPromptTokens?: number;
  readonly maxOutputTokens: number;
  readonly supportsVision: boolean;
  readonly supportsTools: boolean;
  /** The provider's own scale, weakest first; empty where effort cannot be set. */
  readonly reasoningEfforts: readonly string[];
  /** Anthropic only: whether the model decides itself how much to think, or is given a budget. */
  readonly thinking?: "adaptive" | "budget";
}
