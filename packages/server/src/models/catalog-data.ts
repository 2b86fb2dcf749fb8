import type { ModelFacts } from "./model-facts.ts";

/**
 * The catalogue: families of models by the prefix of their ids. Facts only, from the documentation
 * named above each block. Rows of open-weight models vary with how they are served, and older rows may be
 * out of date: a provider's own list, or the overrides, go before them. To add a family, add a line: the longest prefix
 * wins, so a variant that differs gets a line of its own and the order does not matter.
 */

const K = 1000;
const KI = 1024;

type Options = Partial<Omit<ModelFacts, "contextWindowTokens" | "maxOutputTokens">>;

function facts(contextWindowTokens: number, maxOutputTokens: number, options: Options = {}): ModelFacts {
  return {
    contextWindowTokens,
    maxOutputTokens,
    supportsVision: false,
    supportsTools: true,
    reasoningEfforts: [],
    ...options,
  };
}

const VISION = { supportsVision: true } as const;
const LOW_TO_HIGH = ["low", "medium", "high"] as const;
const MINIMAL_TO_HIGH = ["minimal", "low", "medium", "high"] as const;
const NONE_TO_HIGH = ["none", "low", "medium", "high"] as const;
const NONE_TO_XHIGH = ["none", "low", "medium", "high", "xhigh"] as const;
const NONE_TO_MAX = ["none", "low", "medium", "high", "xhigh", "max"] as const;

const gpt5 = (reasoningEfforts: readonly string[]) =>
  facts(400 * K, 128 * K, { ...VISION, maxPromptTokens: 272 * K, reasoningEfforts });
const gpt5Million = (reasoningEfforts: readonly string[]) =>
  facts(1_050 * K, 128 * K, { ...VISION, maxPromptTokens: 922 * K, reasoningEfforts });
const gpt5Chat = facts(128 * K, 16_384, VISION);

// https://platform.openai.com/docs/models
const OPENAI: readonly (readonly [string, ModelFacts])[] = [
  ["gpt-3.5-turbo", facts(16_385, 4_096)],
  ["gpt-4", facts(8_192, 8_192)],
  ["gpt-4-32k", facts(32_768, 32_768)],
  ["gpt-4-turbo", facts(128 * K, 4_096, VISION)],
  ["gpt-4-1106-preview", facts(128 * K, 4_096)],
  ["gpt-4-0125-preview", facts(128 * K, 4_096)],
  ["gpt-4o", facts(128 * K, 16_384, VISION)],
  ["gpt-4o-2024-05-13", facts(128 * K, 4_096, VISION)],
  ["chatgpt-4o-latest", facts(128 * K, 16_384, VISION)],
  ["gpt-4.1", facts(1_047_576, 32_768, VISION)],
  ["gpt-4.5", facts(128 * K, 16_384, VISION)],
  ["o1", facts(200 * K, 100 * K, { ...VISION, reasoningEfforts: LOW_TO_HIGH })],
  ["o1-mini", facts(128 * K, 65_536, { supportsTools: false })],
  ["o1-preview", facts(128 * K, 32_768, { supportsTools: false })],
  ["o3", facts(200 * K, 100 * K, { ...VISION, reasoningEfforts: LOW_TO_HIGH })],
  ["o3-mini", facts(200 * K, 100 * K, { reasoningEfforts: LOW_TO_HIGH })],
  ["o4-mini", facts(200 * K, 100 * K, { ...VISION, reasoningEfforts: LOW_TO_HIGH })],
  ["codex-mini", facts(200 * K, 100 * K, { ...VISION, reasoningEfforts: LOW_TO_HIGH })],
  ["gpt-5", gpt5(MINIMAL_TO_HIGH)],
  ["gpt-5-codex", gpt5(LOW_TO_HIGH)],
  ["gpt-5-pro", facts(400 * K, 272 * K, { ...VISION, reasoningEfforts: ["high"] })],
  ["gpt-5-chat", gpt5Chat],
  ["gpt-5.1", gpt5(NONE_TO_HIGH)],
  ["gpt-5.1-codex", gpt5(LOW_TO_HIGH)],
  ["gpt-5.1-codex-max", gpt5([...LOW_TO_HIGH, "xhigh"])],
  ["gpt-5.1-chat", gpt5Chat],
  ["gpt-5.2", gpt5(NONE_TO_XHIGH)],
  ["gpt-5.2-codex", gpt5([...LOW_TO_HIGH, "xhigh"])],
  ["gpt-5.2-pro", gpt5(["medium", "high", "xhigh"])],
  ["gpt-5.2-chat", gpt5Chat],
  ["gpt-5.3-codex", gpt5([...LOW_TO_HIGH, "xhigh"])],
  ["gpt-5.3-chat", gpt5Chat],
  ["gpt-5.4", gpt5Million(NONE_TO_XHIGH)],
  ["gpt-5.4-pro", gpt5Million(["medium", "high", "xhigh"])],
  ["gpt-5.4-mini", gpt5(NONE_TO_XHIGH)],
  ["gpt-5.4-nano", gpt5(NONE_TO_XHIGH)],
  ["gpt-5.5", gpt5Million(NONE_TO_XHIGH)],
  ["gpt-5.6", gpt5Million(NONE_TO_MAX)],
];

const CLAUDE_EFFORTS = ["low", "medium", "high", "max"] as const;
const CLAUDE_EFFORTS_XHIGH = ["low", "medium", "high", "xhigh", "max"] as const;
const claude = (context: number, output: number, options: Options = {}) =>
  facts(context, output, { ...VISION, ...options });
const claudeBudget = (output: number) => claude(200 * K, output, { thinking: "budget" });
const claudeAdaptive = (reasoningEfforts: readonly string[]) =>
  claude(K * K, 128 * K, { thinking: "adaptive", reasoningEfforts });

// https://platform.claude.com/docs/en/models/overview
// https://platform.claude.com/docs/en/build-with-claude/effort
const ANTHROPIC: readonly (readonly [string, ModelFacts])[] = [
  ["claude-3", claude(200 * K, 4_096)],
  ["claude-3-5-sonnet", claude(200 * K, 8_192)],
  ["claude-3-5-haiku", claude(200 * K, 8_192)],
  ["claude-3-7-sonnet", claudeBudget(64 * K)],
  ["claude-sonnet-4", claudeBudget(64 * K)],
  ["claude-opus-4", claudeBudget(32 * K)],
  ["claude-opus-4-1", claudeBudget(32 * K)],
  ["claude-sonnet-4-5", claudeBudget(64 * K)],
  ["claude-haiku-4-5", claudeBudget(64 * K)],
  ["claude-opus-4-5", claude(200 * K, 64 * K, { thinking: "budget", reasoningEfforts: LOW_TO_HIGH })],
  ["claude-sonnet-4-6", claudeAdaptive(CLAUDE_EFFORTS)],
  ["claude-opus-4-6", claudeAdaptive(CLAUDE_EFFORTS)],
  ["claude-opus-4-7", claudeAdaptive(CLAUDE_EFFORTS_XHIGH)],
  ["claude-opus-4-8", claudeAdaptive(CLAUDE_EFFORTS_XHIGH)],
  ["claude-opus-5", claudeAdaptive(CLAUDE_EFFORTS_XHIGH)],
  ["claude-sonnet-5", claudeAdaptive(CLAUDE_EFFORTS_XHIGH)],
  ["claude-haiku-5-5", claudeAdaptive(CLAUDE_EFFORTS_XHIGH)],
  ["claude-fable-5", claudeAdaptive(CLAUDE_EFFORTS_XHIGH)],
  ["claude-mythos", claudeAdaptive(CLAUDE_EFFORTS_XHIGH)],
  // GitHub's spelling puts the number first for these.
  ["claude-3.5-sonnet", claude(200 * K, 8_192)],
  ["claude-3.7-sonnet", claudeBudget(64 * K)],
  // Any other Claude: the smallest limits of the current ones.
  ["claude", claude(200 * K, 64 * K)],
];

// https://ai.google.dev/gemini-api/docs/models
const GEMINI_WINDOW = 1_048_576;
const GOOGLE: readonly (readonly [string, ModelFacts])[] = [
  ["gemini-1.5-pro", facts(2_097_152, 8_192, VISION)],
  ["gemini-1.5-flash", facts(GEMINI_WINDOW, 8_192, VISION)],
  ["gemini-2.0-flash", facts(GEMINI_WINDOW, 8_192, VISION)],
  ["gemini-2.5", facts(GEMINI_WINDOW, 65_536, { ...VISION, reasoningEfforts: NONE_TO_HIGH })],
  ["gemini-2.5-pro", facts(GEMINI_WINDOW, 65_536, { ...VISION, reasoningEfforts: LOW_TO_HIGH })],
  ["gemini-3", facts(GEMINI_WINDOW, 65_536, { ...VISION, reasoningEfforts: LOW_TO_HIGH })],
  ["gemini-3.1", facts(GEMINI_WINDOW, 65_536, { ...VISION, reasoningEfforts: LOW_TO_HIGH })],
  ["gemini", facts(GEMINI_WINDOW, 8_192, VISION)],
  ["gemma3", facts(128 * KI, 8_192, { ...VISION, supportsTools: false })],
  ["gemma-3", facts(128 * KI, 8_192, { ...VISION, supportsTools: false })],
];

// Model cards at https://huggingface.co/meta-llama, https://ollama.com/library
const META: readonly (readonly [string, ModelFacts])[] = [
  ["llama3", facts(8_192, 4_096, { supportsTools: false })],
  ["llama3.1", facts(128 * KI, 8_192)],
  ["llama3.2", facts(128 * KI, 8_192)],
  ["llama3.2-vision", facts(128 * KI, 8_192, { ...VISION, supportsTools: false })],
  ["llama3.3", facts(128 * KI, 8_192)],
  ["llama-3", facts(8_192, 4_096, { supportsTools: false })],
  ["llama-3.1", facts(128 * KI, 8_192)],
  ["llama-3.2", facts(128 * KI, 8_192)],
  ["llama-3.3", facts(128 * KI, 8_192)],
  ["llama4", facts(KI * KI, 8_192, VISION)],
  ["llama-4", facts(KI * KI, 8_192, VISION)],
];

// Model cards at https://huggingface.co/Qwen
const QWEN: readonly (readonly [string, ModelFacts])[] = [
  ["qwen2.5", facts(128 * KI, 8_192)],
  ["qwen2.5-coder", facts(128 * KI, 8_192)],
  ["qwen2.5vl", facts(128 * KI, 8_192, { ...VISION, supportsTools: false })],
  ["qwen2.5-vl", facts(128 * KI, 8_192, { ...VISION, supportsTools: false })],
  ["qwq", facts(128 * KI, 32_768)],
  ["qwen3", facts(40_960, 32_768)],
  ["qwen3-coder", facts(256 * KI, 65_536)],
  ["qwen3-vl", facts(256 * KI, 32_768, VISION)],
  ["qwen3-max", facts(256 * KI, 65_536)],
];

// https://docs.mistral.ai/getting-started/models/models_overview/
const MISTRAL: readonly (readonly [string, ModelFacts])[] = [
  ["mistral", facts(32 * KI, 8_192)],
  ["mistral-large", facts(128 * KI, 16_384)],
  ["mistral-large-3", facts(256 * KI, 16_384, VISION)],
  ["mistral-medium", facts(128 * KI, 16_384, VISION)],
  ["mistral-small", facts(128 * KI, 16_384, VISION)],
  ["mistral-small3.1", facts(128 * KI, 16_384, VISION)],
  ["mistral-small3.2", facts(128 * KI, 16_384, VISION)],
  ["mistral-nemo", facts(128 * KI, 8_192)],
  ["ministral", facts(128 * KI, 8_192)],
  ["codestral", facts(256 * KI, 16_384)],
  ["devstral", facts(128 * KI, 16_384)],
  ["devstral-2", facts(256 * KI, 16_384)],
  ["magistral", facts(128 * KI, 40_960)],
  ["pixtral", facts(128 * KI, 8_192, VISION)],
];

// https://api-docs.deepseek.com/quick_start/pricing, model cards at https://huggingface.co/deepseek-ai
const DEEPSEEK: readonly (readonly [string, ModelFacts])[] = [
  ["deepseek-chat", facts(128 * KI, 8_192)],
  ["deepseek-reasoner", facts(128 * KI, 65_536)],
  ["deepseek-v3", facts(128 * KI, 8_192)],
  ["deepseek-r1", facts(128 * KI, 32_768)],
];

// https://huggingface.co/openai/gpt-oss-120b, https://ollama.com/library/gpt-oss
const OPEN_WEIGHTS: readonly (readonly [string, ModelFacts])[] = [
  ["gpt-oss", facts(128 * KI, 32_768, { reasoningEfforts: LOW_TO_HIGH })],
];

// Ours: see demo/provider.ts.
const BUILT_IN: readonly (readonly [string, ModelFacts])[] = [["demo", facts(128 * K, 16 * K)]];

export const MODEL_FAMILIES: readonly (readonly [string, ModelFacts])[] = [
  ...OPENAI,
  ...ANTHROPIC,
  ...GOOGLE,
  ...META,
  ...QWEN,
  ...MISTRAL,
  ...DEEPSEEK,
  ...OPEN_WEIGHTS,
  ...BUILT_IN,
];
