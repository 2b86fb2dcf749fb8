import type { CopilotCost } from "../copilot-cost.ts";

/**
 * The parts of Chat Completions answers that are read, a chunk or a whole one. Everything is optional:
 * compatible servers leave out or add what they like. `reasoning_content` is DeepSeek's, vLLM's and
 * llama.cpp's name, `reasoning` OpenRouter's and Ollama's, `reasoning_text` and `reasoning_opaque`
 * GitHub's.
 */
export interface ChatChunk extends CopilotCost {
  readonly id?: string;
  readonly model?: string;
  readonly choices?: readonly ChatChoice[] | null;
  readonly usage?: ChatUsage | null;
  readonly error?: unknown;
}

export interface ChatChoice {
  readonly delta?: ChatDelta | null;
  readonly message?: ChatDelta | null;
  readonly finish_reason?: string | null;
  readonly error?: unknown;
}

export interface ChatDelta {
  /** Mistral's reasoning models send a list of parts. */
  readonly content?: string | readonly ChatContentPart[] | null;
  readonly refusal?: string | null;
  readonly reasoning_content?: string | null;
  readonly reasoning_text?: string | null;
  readonly reasoning_opaque?: string | null;
  readonly reasoning?: unknown;
  /** OpenRouter's. */
  readonly reasoning_details?: readonly unknown[] | null;
  readonly tool_calls?: readonly ChatToolCallDelta[] | null;
}

export interface ChatContentPart {
  readonly type?: string;
  readonly text?: string;
  readonly thinking?: string | readonly ChatContentPart[];
}

export interface ChatToolCallDelta {
  readonly index?: number | null;
  readonly id?: string;
  readonly function?: { readonly name?: string | null; readonly arguments?: unknown };
  /** Gemini's: a thought signature. */
  readonly extra_content?: unknown;
}

export interface ChatUsage {
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number } | null;
  readonly completion_tokens_details?: { readonly reasoning_tokens?: number } | null;
  /** DeepSeek's name for cached tokens. */
  readonly prompt_cache_hit_tokens?: number;
}
