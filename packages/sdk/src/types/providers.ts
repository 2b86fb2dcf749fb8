/** Model providers that an application brings itself, and what is known of models. */
import type { AutoTier, ModelBillingTokenPrices } from "@rightseat/protocol";

/** How hard a model thinks, where it can be told. */
export type ReasoningEffort = "low" | "medium" | "high" | "xhigh" | "max";

/** The provider that needs a token, and the session. */
export interface ProviderTokenArgs {
  /** The provider that needs a token: its name, or `default` for the session's only one. */
  readonly providerName: string;
  readonly sessionId: string;
}

/** Gets a bearer token (without the word `Bearer`); called before each request to the provider. */
export type BearerTokenProvider = (args: ProviderTokenArgs) => Promise<string>;

interface ProviderBase {
  /** Default `openai`, for anything that speaks OpenAI's wire. */
  type?: "openai" | "azure" | "anthropic";
  /** The wire format, for OpenAI and Azure; default `completions`. */
  wireApi?: "completions" | "responses";
  baseUrl: string;
  apiKey?: string;
  /** A command that prints the key; the server runs it if its operator allows that. Wins over `apiKey`. */
  apiKeyCommand?: string;
  /** Sent unchanged in the Authorization header; wins over `apiKey`. */
  bearerToken?: string;
  /** Wins over both; stays in this process, and is asked for a token before each request. */
  bearerTokenProvider?: BearerTokenProvider;
  azure?: {
    /** Left out, the versionless route is used. */
    apiVersion?: string;
  };
  /** Sent with every request to the provider. */
  headers?: Record<string, string>;
}

/** The provider of a whole session. */
export interface ProviderConfig extends ProviderBase {
  /** The transport of the Responses wire; default `http`. */
  transport?: "http" | "websockets";
  /** The well-known model whose limits and abilities apply; default the session's. */
  modelId?: string;
  /** The provider's name for the model; default `modelId`. */
  wireModel?: string;
  maxPromptTokens?: number;
  maxOutputTokens?: number;
}

/** One of several providers of a session; its models are named in `models`. */
export interface NamedProviderConfig extends ProviderBase {
  /** Without a slash. */
  name: string;
}

/** A model of a named provider, chosen as `provider/id`. */
export interface ProviderModelConfig {
  id: string;
  /** The name of its provider. */
  provider: string;
  /** The provider's name for the model; default `id`. */
  wireModel?: string;
  /** The well-known model whose limits and abilities apply; default `id`. */
  modelId?: string;
  /** Shown to people. */
  name?: string;
  maxPromptTokens?: number;
  maxContextWindowTokens?: number;
  maxOutputTokens?: number;
  capabilities?: ModelCapabilitiesOverride;
}

/** Options of GitHub's Copilot API. */
export interface CapiSessionOptions {
  /** Which kind of model is chosen while the model is `auto`. */
  autoTier?: AutoTier;
  /** False keeps to HTTP where WebSockets do not get through; default true. */
  enableWebSocketResponses?: boolean;
}

/** Abilities and limits of a model. */
export interface ModelCapabilities {
  supports: {
    /** Reads images. */
    vision: boolean;
    /** Takes a reasoning effort. */
    reasoningEffort: boolean;
  };
  limits: {
    max_prompt_tokens?: number;
    max_context_window_tokens: number;
    vision?: {
      supported_media_types: string[];
      max_prompt_images: number;
      max_prompt_image_size: number;
    };
  };
}

type DeepPartial<T> = T extends readonly (infer U)[]
  ? DeepPartial<U>[]
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T;

/** Only what is to be different. */
export type ModelCapabilitiesOverride = DeepPartial<ModelCapabilities>;

/** Whether an organisation lets its people use the model. */
export interface ModelPolicy {
  state: "enabled" | "disabled" | "unconfigured";
  terms: string;
}

/** The price of the model. */
export interface ModelBilling {
  multiplier?: number;
  tokenPrices?: ModelBillingTokenPrices;
}

/** A model as it is listed. */
export interface ModelInfo {
  /** The value for `model` of a session. */
  id: string;
  /** Shown to people. */
  name: string;
  capabilities: ModelCapabilities;
  policy?: ModelPolicy;
  billing?: ModelBilling;
  supportedReasoningEfforts?: ReasoningEffort[];
  defaultReasoningEffort?: ReasoningEffort;
}
