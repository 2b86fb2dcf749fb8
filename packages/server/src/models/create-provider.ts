import type { CopilotSettings } from "./copilot/settings.ts";
import { lazyEvents } from "./lazy-events.ts";
import type {
  ModelEvent,
  ModelListing,
  ModelProvider,
  ModelRequest,
  ProviderSettings,
} from "./model-provider.ts";
import { withToolNames } from "./tool-names.ts";

/** Every provider that can be made. The seam's own settings, GitHub's, and the demo model, which has none. */
export type AnyProviderSettings = ProviderSettings | CopilotSettings | { readonly type: "demo" };

/**
 * A provider by its settings. Its code, and the official library behind it, are loaded with the first
 * call and not before, so a server that never calls a model pays for none.
 */
export function createProvider(settings: AnyProviderSettings): ModelProvider {
  // Azure has no list of its deployments behind the keys that model calls use.
  return settings.type === "azure" ? new LazyProvider(settings) : new LazyListingProvider(settings);
}

/**
 * What calls of a provider need, in pieces: to be loaded before there is a call. Node loads its `Headers` with the first.
 * Libraries of other types than the most frequent one are loaded with their first call.
 */
export function providerLoads(type: AnyProviderSettings["type"]): readonly (() => Promise<unknown>)[] {
  const web = [async () => new Headers(), () => import("./http-fetch.ts")];
  return type === "openai"
    ? [...web, () => import("./openai-chat/provider.ts"), () => import("openai")]
    : web;
}

/** One a session: small while it is not used. */
class LazyProvider implements ModelProvider {
  readonly #settings: AnyProviderSettings;
  #loading: Promise<ModelProvider> | undefined;

  constructor(settings: AnyProviderSettings) {
    this.#settings = settings;
  }

  get name(): string {
    return this.#settings.type;
  }

  generate(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent> {
    return withToolNames(request, (named) =>
      lazyEvents(async () => (await this.load()).generate(named, signal)),
    );
  }

  protected load(): Promise<ModelProvider> {
    this.#loading ??= loadProvider(this.#settings).catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }
}

class LazyListingProvider extends LazyProvider {
  async listModels(signal: AbortSignal): Promise<readonly ModelListing[]> {
    return (await (await this.load()).listModels?.(signal)) ?? [];
  }
}

async function loadProvider(settings: AnyProviderSettings): Promise<ModelProvider> {
  switch (settings.type) {
    case "openai":
      return settings.wireApi === "responses"
        ? (await import("./openai-responses/provider.ts")).createOpenAIResponsesProvider(settings)
        : (await import("./openai-chat/provider.ts")).createOpenAIChatProvider(settings);
    case "azure":
      return (await import("./azure/provider.ts")).createAzureProvider(settings);
    case "anthropic":
      return (await import("./anthropic/provider.ts")).createAnthropicProvider(settings);
    case "copilot":
      return (await import("./copilot/provider.ts")).createCopilotProvider(settings);
    case "demo":
      return (await import("./demo/provider.ts")).createDemoProvider();
  }
}
