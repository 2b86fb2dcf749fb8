/**
 * The `provider` of a session, for the usual addresses. Each has a `model` beside it: a session with a
 * provider of its own has to name one.
 */
export const PROVIDERS = {
  /** Ollama on the machine of the runtime; no key. */
  ollama: ({ OLLAMA_URL = "http://localhost:11434/v1", MODEL = "llama3.2" }) => ({
    model: MODEL,
    provider: { type: "openai", baseUrl: OLLAMA_URL },
  }),

  /** OpenAI, and everything that speaks its Chat Completions: vLLM, LM Studio, llama.cpp, OpenRouter. */
  openai: ({ OPENAI_BASE_URL = "https://api.openai.com/v1", OPENAI_API_KEY, MODEL = "gpt-5-mini" }) => ({
    model: MODEL,
    provider: { type: "openai", baseUrl: OPENAI_BASE_URL, apiKey: OPENAI_API_KEY },
  }),

  /** An Azure OpenAI resource: the host alone, and the deployment's name as the model. */
  azure: ({ AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, AZURE_OPENAI_API_VERSION, MODEL }) => ({
    model: MODEL,
    provider: {
      type: "azure",
      baseUrl: AZURE_OPENAI_ENDPOINT,
      apiKey: AZURE_OPENAI_API_KEY,
      // Left out, the address without a version (`/openai/v1`) is used.
      azure: AZURE_OPENAI_API_VERSION ? { apiVersion: AZURE_OPENAI_API_VERSION } : undefined,
    },
  }),

  anthropic: ({
    ANTHROPIC_BASE_URL = "https://api.anthropic.com",
    ANTHROPIC_API_KEY,
    MODEL = "claude-sonnet-4.5",
  }) => ({
    model: MODEL,
    provider: { type: "anthropic", baseUrl: ANTHROPIC_BASE_URL, apiKey: ANTHROPIC_API_KEY },
  }),
};
