/** A provider each call of which is admitted first, whatever it is for. */
import { lazyEvents } from "./lazy-events.ts";
import type { ModelProvider } from "./model-provider.ts";

/** @param admit rejects with the ModelError that the call ends in. */
export function admittedProvider(provider: ModelProvider, admit: () => Promise<void>): ModelProvider {
  return {
    name: provider.name,
    generate: (request, signal) =>
      lazyEvents(async () => {
        await admit();
        return provider.generate(request, signal);
      }),
    ...(provider.listModels
      ? { listModels: (signal) => provider.listModels?.(signal) ?? Promise.resolve([]) }
      : {}),
  };
}
