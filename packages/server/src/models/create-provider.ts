import type { CopilotSettings } from "./copilot/settings.ts";
import { lazyEvents } from "./lazy-events.ts";
import type { ModelProvider, ProviderSettings } from "./model-provider.ts";

/** Every provider that can be made. The seam's own settings, GitHub's, and the demo model, which has none. */
export type AnyProviderSettings = ProviderSettings | CopilotSettings | { readonly type: "demo" };

/**
 * A provider by its settings. Its code, and the official library behind it, are loaded with the first
 * call and not before, so a server that never calls a model pays for none.
 */
export function createProvider(settings: AnyProviderSettings): ModelProvider {
  let loading: Promise<ModelProvider> | undefined;
  const load = (): Promise<ModelProvider> => {
    loading ??= loadProvider(settings).catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const provider: ModelProvider = {
    name: settings.type,
    generate: (request, signal) => lazyEvents(async () => (await load()).generate(request, signal)),
  };
  // Azure has no list of its deployments behind the keys that model calls use.
  if (settings.type === "azure") return provider;
  return { ...provider, listModels: async (signal) => (await (await load()).listModels?.(signal)) ?? [] };
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
