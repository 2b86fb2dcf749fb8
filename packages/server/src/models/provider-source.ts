/** How providers and their models are named: by sessions over the wire, and by the server's environment. */

/** A provider as a session or the server names it; the wire's shape, which the config file shares. */
export interface ProviderSource {
  readonly name?: string;
  readonly type?: "openai" | "azure" | "anthropic";
  readonly wireApi?: "completions" | "responses";
  readonly baseUrl: string;
  readonly apiKey?: string;
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
