/** The models there are: asked for once, remembered until the client stops. */
import type { ModelInfo } from "./types/providers.ts";

export class ModelList {
  readonly #fetch: () => Promise<readonly ModelInfo[]>;
  #known: Promise<readonly ModelInfo[]> | undefined;

  constructor(fetch: () => Promise<readonly ModelInfo[]>) {
    this.#fetch = fetch;
  }

  /** A copy of the list. A failure is not remembered. */
  async get(): Promise<ModelInfo[]> {
    const known = (this.#known ??= this.#fetch());
    try {
      return [...(await known)];
    } catch (error) {
      if (this.#known === known) this.#known = undefined;
      throw error;
    }
  }

  forget(): void {
    this.#known = undefined;
  }
}

/** A model as it came over the wire, with the parts that programs count on. */
export function toModelInfo(model: ModelInfo): ModelInfo {
  const { supports, limits } = (model.capabilities ?? {}) as Partial<ModelInfo["capabilities"]>;
  return {
    ...model,
    capabilities: {
      ...model.capabilities,
      supports: supports ?? ({} as ModelInfo["capabilities"]["supports"]),
      limits: { ...limits, max_context_window_tokens: limits?.max_context_window_tokens ?? 0 },
    },
  };
}
