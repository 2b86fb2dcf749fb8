/**
 * Finds the model that a session talks to: one of its own providers, the server's, GitHub's Copilot
 * API, or the demo model. In that order, and by what the session's client asked for.
 */
import { RpcError } from "@rightseat/protocol";
import type { ActiveModel } from "../agent/run-host.ts";
import type { KeyCommands } from "./key-commands.ts";
import type { ModelFacts } from "./model-facts.ts";
import type { Fetch, ModelListing, ModelProvider, ProviderSettings } from "./model-provider.ts";
import { providerProblem, splitAddress } from "./provider-address.ts";
import type {
  ModelCapabilities,
  ProviderModelSource,
  ProviderSource,
  VisionLimits,
} from "./provider-source.ts";

/** What a session asks with. */
export interface ModelQuery {
  readonly model?: string;
  readonly reasoningEffort?: string;
  readonly reasoningSummary?: string;
  readonly provider?: ProviderSource;
  readonly providers?: readonly ProviderSource[];
  readonly models?: readonly ProviderModelSource[];
  /** Replaces what is known of the model, property by property. */
  readonly capabilities?: ModelCapabilities;
  /** The session's own GitHub token. */
  readonly gitHubToken?: string;
  /** The server's own GitHub token is not the session's to use. */
  readonly withoutServerToken?: boolean;
  /** Routes the session's model traffic elsewhere, through its client. */
  readonly fetch?: Fetch;
  /** The same, with Responses calls over a WebSocket, for models that offer it. */
  readonly socketFetch?: Fetch;
  /** Asks the session's clients for a token of the provider so named. */
  readonly bearerToken?: (providerName: string) => Promise<string>;
  /** Stands for these very settings: what was made for them is kept as long as it lives. */
  readonly identity?: object;
}

export interface ModelDirectoryOptions {
  /** The server's own providers, from its environment or configuration; the first one that fits a model serves it. */
  readonly serverProviders: readonly ProviderSource[];
  /** The server's own model; used when a session names none. */
  readonly serverModel?: string;
  readonly demo: boolean;
  /** The token of the server, when it has one. */
  readonly gitHubToken?: string;
  readonly createProvider: (settings: ProviderSettings) => ModelProvider;
  /** For calls of providers that sessions bring, unless their client carries them. */
  readonly ownFetch: Fetch;
  /** The fetch for the server's own providers; the default goes straight to their hosts. */
  readonly serverFetch?: Fetch;
  readonly createDemoProvider: () => ModelProvider;
  readonly createCopilotProvider: (options: {
    token: string;
    baseUrl: string;
    fetch?: Fetch;
  }) => ModelProvider;
  /** Where the Copilot API of a token's owner is. @throws when the token is refused. */
  readonly copilotApiUrl: (token: string) => Promise<string>;
  readonly facts: (model: string) => ModelFacts;
  readonly keyCommands: KeyCommands;
  /** See `ProviderSettings`. */
  readonly idleTimeoutMs?: number;
}

export const DEMO_MODEL = "demo";
/** The name of a session's only provider, by which its client is asked for tokens. */
const DEFAULT_PROVIDER = "default";
/** Five megabytes of base64. */
const ANTHROPIC_IMAGE_BYTES = (5 * 1024 * 1024 * 3) / 4;
const LIST_CACHE_MS = 5 * 60_000;
/** Tokens whose models and connections are kept at a time. */
const MOST_TOKENS = 1000;

export class ModelDirectory {
  readonly #options: ModelDirectoryOptions;
  /** Providers are stateless but for their credentials; one serves all calls of a session's settings. */
  readonly #providers = new WeakMap<object, ModelProvider>();
  readonly #copilotModels = new Map<
    string,
    { readonly at: number; readonly models: Promise<readonly ModelListing[]> }
  >();
  readonly #copilotProviders = new Map<string, ModelProvider>();
  #demoProvider: ModelProvider | undefined;

  constructor(options: ModelDirectoryOptions) {
    this.#options = options;
  }

  /** Whether there is any way to a model other than the demo model. */
  hasProvider(query: ModelQuery): boolean {
    return Boolean(
      query.provider ||
        query.providers?.length ||
        query.gitHubToken ||
        this.#options.serverProviders.length ||
        this.#serverToken(query),
    );
  }

  /** The model of a session whose client named none, where that needs no network to tell. */
  defaultModel(query: ModelQuery): string | undefined {
    if (query.provider)
      return query.provider.modelId ?? query.provider.wireModel ?? this.#options.serverModel;
    const first = query.models?.[0];
    if (query.providers?.length && first) return `${first.provider}/${first.id}`;
    if (this.#options.demo) return DEMO_MODEL;
    const { serverProviders, serverModel } = this.#options;
    return serverModel ?? serverProviders[0]?.modelId ?? serverProviders[0]?.wireModel;
  }

  /**
   * @throws RpcError `no_provider` when the model named can be reached by no way; `invalid_params` for a provider that
   * nothing can be sent to, and for a model of a provider that there is not; `not_supported` for a command for keys.
   */
  check(query: ModelQuery): void {
    if (
      query.model !== undefined &&
      query.model !== DEMO_MODEL &&
      !this.#options.demo &&
      !this.hasProvider(query)
    )
      throw noProvider(query.model);
    const { keyCommands } = this.#options;
    if (query.provider) checkProvider("provider", query.provider, keyCommands);
    query.providers?.forEach((provider, index) => {
      checkProvider(`providers[${index}]`, provider, keyCommands);
    });
    if (query.models) checkModels(query.models, query.providers ?? []);
  }

  /** @throws RpcError `no_provider`, `model_not_found`; ModelError or AccountError when a provider says no. */
  async resolve(query: ModelQuery): Promise<ActiveModel> {
    const own = this.#ownModel(query);
    if (own) return own;
    if (query.provider) return this.#singleProviderModel(query, query.provider);
    if (query.model === DEMO_MODEL) return this.#demoModel(query);
    if (query.gitHubToken !== undefined) return this.#copilotModel(query, query.gitHubToken);
    if (this.#options.demo) return this.#demoModel(query);
    const serverProvider = this.#serverProviderFor(query.model ?? this.#options.serverModel);
    if (serverProvider) return this.#serverModel(query, serverProvider);
    const serverToken = this.#serverToken(query);
    if (serverToken !== undefined) return this.#copilotModel(query, serverToken);
    if (query.withoutServerToken && this.#options.gitHubToken !== undefined) throw noTokenOfUser();
    throw noProvider(query.model);
  }

  #serverToken(query: ModelQuery): string | undefined {
    return query.withoutServerToken ? undefined : this.#options.gitHubToken;
  }

  /** Whether the model can be had, as far as that can be told: providers of one's own are taken at their word. */
  async offers(query: ModelQuery & { readonly model: string }): Promise<boolean> {
    try {
      if (this.#ownModel(query)) return true;
    } catch {
      return false;
    }
    if (query.provider || query.model === DEMO_MODEL) return true;
    const isServed = this.#options.demo || this.#options.serverProviders.length > 0;
    const token = query.gitHubToken ?? (isServed ? undefined : this.#serverToken(query));
    if (token === undefined) return isServed;
    return (await this.#listCopilot(token, query)).some(({ id }) => id === query.model);
  }

  /** What the server has besides GitHub's Copilot API. */
  get own(): "provider" | "demo" | undefined {
    if (this.#options.serverProviders.length > 0) return "provider";
    return this.#options.demo ? "demo" : undefined;
  }

  /**
   * Models that a client can choose from. Where GitHub cannot be asked with the server's token, what there is besides.
   * @throws ModelError when there is nothing besides, or GitHub says no to the query's own token.
   */
  async list(query: ModelQuery, signal: AbortSignal): Promise<readonly ModelListing[]> {
    const listings = [...this.listOwn(query.models ?? [])];
    const token = query.gitHubToken ?? this.#serverToken(query);
    for (const provider of this.#options.serverProviders)
      listings.push(...(await this.#serverListing(provider, signal)));
    if (this.#options.serverProviders.length === 0 && token !== undefined) {
      const listed = this.#listCopilot(token, query);
      // Whoever asks with a token of its own is told when that does not do.
      const isAlone = query.gitHubToken !== undefined || (!this.#options.demo && listings.length === 0);
      listings.push(...(await (isAlone ? listed : listed.catch(() => []))));
    }
    if (this.#options.demo || listings.length === 0)
      listings.push({ id: DEMO_MODEL, name: "Demo (rule-based, no language model)" });
    return listings.map((listing) => this.#withFacts(listing));
  }

  /** What the provider is called with, unless a token goes before it. @throws ModelError `authentication`. */
  keyOf(provider: ProviderSource): Promise<string | undefined> {
    return this.#options.keyCommands.keyOf(provider);
  }

  /** Models of a session's own providers, as `list` has them. */
  listOwn(models: readonly ProviderModelSource[]): ModelListing[] {
    return models.map((model) => {
      const id = `${model.provider}/${model.id}`;
      const limits = {
        contextWindowTokens: model.maxContextWindowTokens || undefined,
        maxPromptTokens: model.maxPromptTokens || undefined,
        maxOutputTokens: model.maxOutputTokens || undefined,
      };
      const facts = this.#options.facts(model.modelId ?? model.wireModel ?? model.id);
      return { ...facts, ...withoutUndefined(limits), id, name: model.name ?? id };
    });
  }

  /** With several, each is for the models of its kind: Claude's are served by Anthropic's API. */
  #serverProviderFor(model: string | undefined): ProviderSource | undefined {
    const { serverProviders } = this.#options;
    const anthropic = model?.startsWith("claude") === true;
    return (
      serverProviders.find((provider) => (provider.type === "anthropic") === anthropic) ?? serverProviders[0]
    );
  }

  #withFacts(listing: ModelListing): ModelListing {
    if (listing.raw !== undefined) return listing;
    const facts = this.#options.facts(listing.id);
    return { ...facts, ...listing };
  }

  #ownModel(query: ModelQuery): ActiveModel | undefined {
    const { model, models, providers } = query;
    if (model === undefined || !models || !providers) return undefined;
    const spec =
      models.find((candidate) => `${candidate.provider}/${candidate.id}` === model) ??
      models.find((candidate) => candidate.id === model);
    if (!spec) {
      if (!model.includes("/") && !query.provider) return undefined;
      const known = models.map((candidate) => `${candidate.provider}/${candidate.id}`).join(", ");
      if (providers.some((provider) => model.startsWith(`${provider.name}/`))) {
        throw new RpcError(
          "model_not_found",
          `expected one of the session's models (${known}), got '${model}'`,
          { model },
        );
      }
      return undefined;
    }
    const provider = providers.find((candidate) => candidate.name === spec.provider);
    if (!provider)
      throw new RpcError(
        "model_not_found",
        `model '${model}' names the provider '${spec.provider}', which the session has not`,
        { model },
      );
    return this.#active(
      query,
      `${spec.provider}/${spec.id}`,
      spec.wireModel ?? spec.id,
      this.#providerFor(provider, query, spec.provider),
      spec,
      spec.modelId ?? spec.wireModel ?? spec.id,
    );
  }

  #singleProviderModel(query: ModelQuery, provider: ProviderSource): ActiveModel {
    const id = query.model ?? provider.modelId ?? provider.wireModel ?? this.#options.serverModel;
    if (id === undefined) {
      throw new RpcError(
        "model_not_found",
        "a session with its own provider needs a model: set 'model', or the provider's 'modelId' or 'wireModel'",
      );
    }
    const wireModel = provider.wireModel ?? query.model ?? id;
    return this.#active(
      query,
      id,
      wireModel,
      this.#providerFor(provider, query, DEFAULT_PROVIDER),
      provider,
      provider.modelId ?? wireModel,
    );
  }

  #serverModel(query: ModelQuery, provider: ProviderSource): ActiveModel {
    const id = query.model ?? this.#options.serverModel ?? provider.modelId ?? provider.wireModel;
    if (id === undefined) {
      throw new RpcError(
        "model_not_found",
        "the session names no model and the server has no default: set 'model' in session.create, or COPILOT_MODEL on the server",
      );
    }
    const isDefault = id === (this.#options.serverModel ?? provider.modelId);
    const wireModel = isDefault ? (provider.wireModel ?? id) : id;
    const implementation = this.#providerFor(provider, query, DEFAULT_PROVIDER);
    return this.#active(query, id, wireModel, implementation, provider, provider.modelId ?? wireModel);
  }

  #demoModel(query: ModelQuery): ActiveModel {
    this.#demoProvider ??= this.#options.createDemoProvider();
    return this.#active(query, query.model ?? DEMO_MODEL, DEMO_MODEL, this.#demoProvider, {}, DEMO_MODEL);
  }

  async #copilotModel(query: ModelQuery, token: string): Promise<ActiveModel> {
    const baseUrl = await this.#options.copilotApiUrl(token);
    const provider = this.#copilotProviderFor(token, baseUrl, query);
    const models = await this.#listCopilot(token, query, provider).catch((error: unknown) => {
      // For a model that is named the list is not needed, and the call's own error tells more.
      if (query.model === undefined) throw error;
      return [];
    });
    const listing = query.model === undefined ? models[0] : models.find((model) => model.id === query.model);
    const overSocket =
      query.socketFetch && offersSocket(listing)
        ? { ...query, fetch: query.socketFetch, identity: query.socketFetch }
        : undefined;
    if (!listing && query.model === undefined)
      throw new RpcError("model_not_found", "GitHub's Copilot API offers this token no model");
    // A model that is not listed may be served all the same (previews): the API has the last word.
    const id = listing?.id ?? (query.model as string);
    const carrier = overSocket ? this.#copilotProviderFor(token, baseUrl, overSocket) : provider;
    return this.#active({ ...query, byok: false }, id, id, carrier, listing ?? {}, id);
  }

  #copilotProviderFor(token: string, baseUrl: string, query: ModelQuery): ModelProvider {
    const make = () => this.#options.createCopilotProvider({ token, baseUrl, fetch: query.fetch });
    if (query.fetch) {
      const known = query.identity && this.#providers.get(query.identity);
      const provider = known ?? make();
      if (query.identity) this.#providers.set(query.identity, provider);
      return provider;
    }
    const known = this.#copilotProviders.get(token);
    if (known) return known;
    const provider = make();
    this.#copilotProviders.set(token, provider);
    if (this.#copilotProviders.size > MOST_TOKENS)
      this.#copilotProviders.delete(this.#copilotProviders.keys().next().value as string);
    return provider;
  }

  #listCopilot(token: string, query: ModelQuery, provider?: ModelProvider): Promise<readonly ModelListing[]> {
    const cacheKey = query.fetch ? undefined : token;
    const cached = cacheKey === undefined ? undefined : this.#copilotModels.get(cacheKey);
    if (cached && performance.now() - cached.at < LIST_CACHE_MS) return cached.models;
    const models = this.#fetchCopilotModels(token, query, provider);
    if (cacheKey !== undefined) {
      this.#copilotModels.set(cacheKey, { at: performance.now(), models });
      models.catch(() => this.#copilotModels.delete(cacheKey));
      if (this.#copilotModels.size > MOST_TOKENS)
        this.#copilotModels.delete(this.#copilotModels.keys().next().value as string);
    }
    return models;
  }

  async #fetchCopilotModels(
    token: string,
    query: ModelQuery,
    provider?: ModelProvider,
  ): Promise<readonly ModelListing[]> {
    const source =
      provider ?? this.#copilotProviderFor(token, await this.#options.copilotApiUrl(token), query);
    return (await source.listModels?.(new AbortController().signal)) ?? [];
  }

  async #serverListing(provider: ProviderSource, signal: AbortSignal): Promise<readonly ModelListing[]> {
    const own = this.#options.serverModel ?? provider.modelId ?? provider.wireModel;
    const implementation = this.#providerFor(provider, {}, DEFAULT_PROVIDER);
    const listed = await implementation.listModels?.(signal).catch(() => []);
    const listings = [...(listed ?? [])];
    if (own !== undefined && !listings.some((listing) => listing.id === own))
      listings.unshift({ id: own, name: own });
    return listings;
  }

  #providerFor(provider: ProviderSource, query: ModelQuery, name: string): ModelProvider {
    const known = this.#providers.get(provider);
    if (known && !query.fetch) return known;
    const { serverProviders, ownFetch, serverFetch } = this.#options;
    const fetch = query.fetch ?? (serverProviders.includes(provider) ? serverFetch : ownFetch);
    const made = this.#options.createProvider(toSettings(provider, { ...query, fetch }, name, this.#options));
    if (!query.fetch) this.#providers.set(provider, made);
    return made;
  }

  #active(
    query: ModelQuery & { byok?: boolean },
    id: string,
    wireModel: string,
    provider: ModelProvider,
    limits: {
      maxPromptTokens?: number;
      maxContextWindowTokens?: number;
      contextWindowTokens?: number;
      maxOutputTokens?: number;
      supportsVision?: boolean;
      raw?: unknown;
    },
    wellKnown: string,
  ): ActiveModel {
    const facts = this.#options.facts(wellKnown);
    const { supports, limits: given } = query.capabilities ?? {};
    return {
      id,
      wireModel,
      provider,
      // A limit of zero is one that somebody did not know.
      contextWindowTokens:
        given?.max_context_window_tokens ||
        limits.maxContextWindowTokens ||
        limits.contextWindowTokens ||
        facts.contextWindowTokens,
      maxPromptTokens: given?.max_prompt_tokens || limits.maxPromptTokens || facts.maxPromptTokens,
      maxOutputTokens:
        given?.max_output_tokens ||
        limits.maxOutputTokens ||
        (provider.name === "anthropic" ? facts.maxOutputTokens : undefined),
      supportsVision: supports?.vision ?? limits.supportsVision ?? facts.supportsVision,
      ...toImageLimits({
        ...(provider.name === "anthropic" ? { max_prompt_image_size: ANTHROPIC_IMAGE_BYTES } : {}),
        ...visionLimitsOf(limits.raw),
        ...given?.vision,
      }),
      isByok: query.byok ?? true,
      reasoningEffort: supports?.reasoningEffort === false ? undefined : query.reasoningEffort,
      reasoningSummary: query.reasoningSummary,
    };
  }
}

/** What GitHub's list of models says about images. */
function visionLimitsOf(raw: unknown): VisionLimits | undefined {
  return (raw as { capabilities?: { limits?: { vision?: VisionLimits } } } | undefined)?.capabilities?.limits
    ?.vision;
}

function toImageLimits(vision: VisionLimits): Pick<ActiveModel, "imageLimits"> {
  const { max_prompt_images, max_prompt_image_size, supported_media_types } = vision;
  if (!max_prompt_images && !max_prompt_image_size && !supported_media_types?.length) return {};
  return {
    imageLimits: {
      ...(max_prompt_images ? { maxImages: max_prompt_images } : {}),
      ...(max_prompt_image_size ? { maxImageBytes: max_prompt_image_size } : {}),
      ...(supported_media_types?.length ? { mediaTypes: supported_media_types } : {}),
    },
  };
}

function offersSocket(listing: ModelListing | undefined): boolean {
  const endpoints = (listing?.raw as { supported_endpoints?: unknown } | undefined)?.supported_endpoints;
  return Array.isArray(endpoints) && endpoints.includes("ws:/responses");
}

function toSettings(
  provider: ProviderSource,
  query: ModelQuery,
  name: string,
  { keyCommands, idleTimeoutMs }: Pick<ModelDirectoryOptions, "keyCommands" | "idleTimeoutMs">,
): ProviderSettings {
  // Kept as long as the session's settings are: nothing of the query that is not needed.
  const bearerToken = provider.hasBearerTokenProvider ? query.bearerToken : undefined;
  const { baseUrl, query: addressQuery } =
    provider.type === "azure"
      ? { baseUrl: provider.baseUrl, query: undefined }
      : splitAddress(provider.baseUrl);
  // Written out: an object that is spread into another has a shape of its own in V8.
  return {
    type: provider.type ?? "openai",
    baseUrl,
    query: addressQuery,
    wireApi: provider.wireApi,
    azureApiVersion: provider.azure?.apiVersion,
    headers: provider.headers,
    fetch: query.fetch,
    credential: async () => {
      if (bearerToken) return { kind: "bearer", value: (await bearerToken(name)).trim() };
      if (provider.bearerToken !== undefined) return { kind: "bearer", value: provider.bearerToken };
      const key = await keyCommands.keyOf(provider);
      return key === undefined ? undefined : { kind: "api-key", value: key };
    },
    idleTimeoutMs,
    source: provider,
  };
}

function checkProvider(place: string, provider: ProviderSource, keyCommands: KeyCommands): void {
  keyCommands.check(place, provider);
  const problem = providerProblem(provider);
  if (!problem) return;
  const path = `${place}.${problem.field}`;
  throw new RpcError("invalid_params", `${path}: ${problem.message}`, { path });
}

function checkModels(models: readonly ProviderModelSource[], providers: readonly ProviderSource[]): void {
  const names = new Set(providers.map((provider) => provider.name));
  models.forEach((model, index) => {
    if (names.has(model.provider)) return;
    throw new RpcError(
      "invalid_params",
      `models[${index}].provider: expected the name of one of 'providers' (${[...names].join(", ") || "none given"}), got '${model.provider}'`,
      { path: `models[${index}].provider` },
    );
  });
}

function withoutUndefined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function noTokenOfUser(): RpcError {
  return new RpcError(
    "authentication_failed",
    "The session's GitHub credentials name a user and bring no token, and the server's own token is not that user's. Install a token by session.gitHubAuth.setCredentials.",
  );
}

/** What to do when there is no way to a model; said where the on-call reads it. */
export function noProvider(model: string | undefined): RpcError {
  const wanted = model === undefined ? "a model" : `the model '${model}'`;
  return new RpcError(
    "no_provider",
    `No provider for ${wanted}. There are three ways to get one: ` +
      "(1) a provider of the session's own: 'provider' in session.create; " +
      "(2) a provider of the server: COPILOT_PROVIDER_BASE_URL and _API_KEY, or OPENAI_API_KEY, or ANTHROPIC_API_KEY in its environment; " +
      "(3) a GitHub token: 'gitHubToken' in session.create, or COPILOT_GITHUB_TOKEN, GH_TOKEN or GITHUB_TOKEN in the server's environment. " +
      "To try the server without any, use the model 'demo'.",
    model === undefined ? {} : { model },
  );
}
