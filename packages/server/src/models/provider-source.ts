/** How providers and their models are named: by sessions over the wire, and by the server's environment. */

/** What a client knows better of the session's model than we do; the wire's shape. */
export interface ModelCapabilities {
  readonly supports?: { readonly vision?: boolean; readonly reasoningEffort?: boolean };
  readonly limits?: {
    readonly max_prompt_tokens?: number;
    readonly max_output_tokens?: number;
    readonly max_context_window_tokens?: number;
    readonly vision?: VisionLimits;
  };
}

export interface VisionLimits {
  readonly supported_media_types?: readonly string[];
  readonly max_prompt_images?: number;
  /** Bytes. */
  readonly max_prompt_image_size?: number;
}

/** A provider as a session or the server names it; the wire's shape, which the config file shares. */
export interface ProviderSource {
  readonly name?: string;
  readonly type?: "openai" | "azure" | "anthropic";
  readonly wireApi?: "completions" | "responses";
  readonly baseUrl: string;
  readonly apiKey?: string;
  /** Prints the key; for bash. */
  readonly apiKeyCommand?: string;
  readonly bearerToken?: string;
  readonly azure?: { readonly apiVersion?: string };
  readonly headers?: Readonly<Record<string, string>>;
  readonly hasBearerTokenProvider?: boolean;
  readonly modelId?: string;
  readonly wireModel?: string;
  readonly maxPromptTokens?: number;
  readonly maxContextWindowTokens?: number;
  readonly maxOutputTokens?: number;
}

export interface ProviderModelSource {
  readonly id: string;
  readonly provider: string;
  readonly wireModel?: string;
  readonly modelId?: string;
  readonly name?: string;
  readonly maxPromptTokens?: number;
  readonly maxContextWindowTokens?: number;
  readonly maxOutputTokens?: number;
}
