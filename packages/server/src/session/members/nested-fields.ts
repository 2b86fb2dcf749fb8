/** What becomes of the fields inside of what sessions are made, resumed and changed with. */
import type {
  CapiSessionOptions,
  CommandDefinition,
  CustomAgent,
  InfiniteSessionConfig,
  LargeToolOutputConfig,
  ModelCapabilitiesOverride,
  NamedProviderConfig,
  ProviderConfig,
  ProviderModelConfig,
  PublishedMethods,
  SessionLimitsConfig,
  SessionManagedSettings,
  SubagentSettingsEntry,
  ToolDefinition,
  ToolSearchConfig,
} from "@rightseat/protocol";
import {
  atMost,
  count,
  differsFrom,
  type FieldRule,
  type FieldRules,
  honoured,
  none,
  nothing,
  refused,
  within,
} from "./field-rules.ts";

/** Every field of the published shape, and those that newer SDKs know. */
type FieldsOf<T> = Readonly<Record<keyof T, FieldRule>> & FieldRules;

const NO_ENTRA = "asks for credentials of Microsoft Entra, which the server cannot get; give a bearerToken";

const CAPABILITIES = within({
  supports: within({
    vision: honoured,
    reasoningEffort: honoured,
    adaptive_thinking: none("has no effect: how a model thinks follows from the model"),
  } satisfies FieldsOf<NonNullable<ModelCapabilitiesOverride["supports"]>>),
  limits: within({
    max_prompt_tokens: count,
    max_output_tokens: count,
    max_context_window_tokens: count,
    vision: within({
      supported_media_types: honoured,
      max_prompt_images: count,
      max_prompt_image_size: count,
    }),
  } satisfies FieldsOf<NonNullable<ModelCapabilitiesOverride["limits"]>>),
} satisfies FieldsOf<ModelCapabilitiesOverride>);

const MAX_URL_CHARS = 8_192;
const MAX_NAME_CHARS = 256;

/** Where a provider is and how it is spoken to. */
const ENDPOINT = {
  type: honoured,
  wireApi: honoured,
  transport: none("has no effect: providers are called over HTTP", differsFrom("http")),
  baseUrl: atMost(MAX_URL_CHARS),
  apiKey: honoured,
  bearerToken: honoured,
  azure: within({ apiVersion: honoured, entra: refused(NO_ENTRA) }),
  headers: honoured,
  hasBearerTokenProvider: honoured,
  modelProvider: none("has no effect: the server sends no telemetry", nothing),
  // The operator has to agree: `KeyCommands.check`.
  apiKeyCommand: honoured,
  // A provider that is called without the credentials that it was to have answers others than it was meant for.
  entra: refused(NO_ENTRA),
};

const PROVIDER = within({
  ...ENDPOINT,
  modelId: honoured,
  modelCapabilities: none("has no effect: 'modelCapabilities' of the session says what its model can do"),
  providerName: none("has no effect: the provider of a whole session goes by no name"),
  wireModel: honoured,
  maxPromptTokens: count,
  maxContextWindowTokens: count,
  maxOutputTokens: count,
} satisfies FieldsOf<ProviderConfig>);

const PROVIDERS = within({
  ...ENDPOINT,
  name: atMost(MAX_NAME_CHARS),
} satisfies FieldsOf<NamedProviderConfig>);

const MODELS = within({
  id: honoured,
  provider: honoured,
  wireModel: honoured,
  modelId: honoured,
  name: honoured,
  maxPromptTokens: count,
  maxContextWindowTokens: count,
  maxOutputTokens: count,
  capabilities: none("has no effect: 'modelCapabilities' of the session says what its model can do"),
  systemMessage: none("has no effect: a session has one system message for all models"),
} satisfies FieldsOf<ProviderModelConfig>);

const TOOLS = within({
  name: atMost(MAX_NAME_CHARS),
  description: honoured,
  parameters: honoured,
  overridesBuiltInTool: honoured,
  skipPermission: honoured,
  defer: honoured,
  isTerminal: honoured,
  title: none("has no effect: clients show tools by their names"),
  metadata: none("has no effect: what an application notes of a tool is not told on"),
} satisfies FieldsOf<ToolDefinition>);

const AGENTS = within({
  name: atMost(MAX_NAME_CHARS),
  displayName: honoured,
  description: honoured,
  tools: honoured,
  prompt: honoured,
  infer: honoured,
  model: honoured,
  modelPolicy: honoured,
  reasoningEffort: honoured,
  hooks: refused("asks for hooks of an agent's own, which would not be asked; give the session hooks"),
  mcpServers: none("has no effect: MCP servers are not connected"),
  skills: none("has no effect: skills are not loaded"),
} satisfies FieldsOf<CustomAgent>);

const SECTIONS = within({ action: honoured, content: honoured }, { isMap: true });
const SYSTEM_MESSAGE = within({
  mode: honoured,
  content: honoured,
  sections: SECTIONS,
  contentBlocks: none("has no effect: 'content' is what the model reads"),
});

/** The fields inside of every object that create, resume or update has. */
export const NESTED = {
  provider: PROVIDER,
  providers: PROVIDERS,
  models: MODELS,
  tools: TOOLS,
  customAgents: AGENTS,
  systemMessage: SYSTEM_MESSAGE,
  capabilities: CAPABILITIES,
  capi: within({
    enableWebSocketResponses: honoured,
    autoTier: none("has no effect: which model 'auto' is, is GitHub's to say"),
  } satisfies FieldsOf<CapiSessionOptions>),
  toolSearch: within({ enabled: honoured, deferThreshold: count } satisfies FieldsOf<ToolSearchConfig>),
  commands: within({
    name: atMost(MAX_NAME_CHARS),
    description: honoured,
  } satisfies FieldsOf<CommandDefinition>),
  defaultAgent: within({ excludedTools: honoured }),
  infiniteSessions: within({
    enabled: honoured,
    backgroundCompactionThreshold: honoured,
    bufferExhaustionThreshold: honoured,
  } satisfies FieldsOf<InfiniteSessionConfig>),
  largeOutput: within({
    enabled: honoured,
    maxSizeBytes: count,
    outputDir: honoured,
  } satisfies FieldsOf<LargeToolOutputConfig>),
  sessionLimits: within({ maxAiCredits: honoured } satisfies FieldsOf<SessionLimitsConfig>, {
    isGuard: true,
  }),
  autopilot: within({ continuationEnabled: honoured, maxContinues: count }, { isGuard: true }),
  // Read whole by managed-policy.ts, which refuses what it does not know.
  managedSettings: within({
    permissions: within({
      disableBypassPermissionsMode: honoured,
      disableAssistedPermissionsMode: honoured,
      deny: honoured,
      ask: honoured,
      allow: honoured,
      limitTo: honoured,
    } satisfies FieldsOf<NonNullable<SessionManagedSettings["permissions"]>>),
  } satisfies FieldsOf<SessionManagedSettings>),
} as const satisfies FieldRules;

export const ADD_PROVIDERS_FIELDS: FieldRules = { sessionId: honoured, providers: PROVIDERS, models: MODELS };
export const SET_TOOLS_FIELDS: FieldRules = { sessionId: honoured, tools: TOOLS };

export const SUBAGENT_FIELDS: FieldRules = {
  sessionId: honoured,
  // Not a guard: SDKs before the settings had `agents` send the agents right here.
  subagents: within({
    agents: within(
      {
        model: honoured,
        modelPolicy: honoured,
        effortLevel: honoured,
        contextTier: none(
          "has no effect: every model has one context window",
          (tier) => tier === "long_context",
        ),
        autoInvoke: none("has no effect: an agent is proposed as its definition says", differsFrom(true)),
      } satisfies FieldsOf<SubagentSettingsEntry>,
      { isMap: true },
    ),
    disabledSubagents: honoured,
    maxConcurrency: honoured,
    maxDepth: honoured,
  }),
};

const RULES = within({ kind: honoured, argument: honoured }, { isGuard: true });

export const PERMISSION_FIELDS: FieldRules = {
  sessionId: honoured,
  approveAllToolPermissionRequests: honoured,
  approveAllReadPermissionRequests: honoured,
  rules: within({ approved: RULES, denied: RULES }, { isGuard: true }),
  paths: within(
    {
      unrestricted: honoured,
      additionalDirectories: honoured,
      includeTempDirectory: honoured,
      workspacePath: honoured,
    },
    { isGuard: true },
  ),
  urls: within({ unrestricted: honoured, initialAllowed: honoured }, { isGuard: true }),
  additionalContentExclusionPolicies: refused(
    "asks for a policy that this server would not enforce: shells and searches cannot be kept from excluded content; deny 'shell' and use rules instead",
  ),
} satisfies FieldsOf<PublishedMethods["session.permissions.configure"]["params"]>;
