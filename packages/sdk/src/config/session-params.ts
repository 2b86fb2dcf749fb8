/** A session's configuration as it is sent; what stays in this process is not in it. */
import { randomUUID } from "node:crypto";
import type { SessionCreateParams, SessionResumeParams } from "@rightseat/protocol";
import type { CopilotClientMode } from "../types/client-options.ts";
import type { BearerTokenProvider } from "../types/providers.ts";
import type {
  CloudSessionOptions,
  CustomAgentConfig,
  MCPServerConfig,
  SessionFields,
} from "../types/session-config.ts";
import type {
  SectionTransformFn,
  SystemMessageConfig,
  SystemMessageCustomizeConfig,
} from "../types/system-message.ts";
import { toToolPatterns } from "./tool-set.ts";
import { toToolDefinition } from "./tools.ts";

/** A configuration taken apart. */
export interface PreparedConfig {
  /** What `session.create` and `session.resume` have in common, ready to be sent again and again. */
  readonly params: Omit<SessionResumeParams, "sessionId">;
  /** What is set by `session.options.update` afterwards; undefined when nothing is. */
  readonly options: Record<string, unknown> | undefined;
  readonly transforms: ReadonlyMap<string, SectionTransformFn> | undefined;
  readonly tokenProviders: ReadonlyMap<string, BearerTokenProvider> | undefined;
  /** By what the server asks for GitHub tokens. */
  readonly gitHubTokenRegistration: string | undefined;
}

/** What only resuming takes. */
export interface ResumeOptions {
  suppressResumeEvent?: boolean;
  continuePendingWork?: boolean;
  openCanvases?: SessionResumeParams["openCanvases"];
}

/** Fields that are sent under their own name, as they are. */
const AS_THEY_ARE = [
  "clientName",
  "model",
  "reasoningEffort",
  "reasoningSummary",
  "contextTier",
  "modelCapabilities",
  "enableConfigDiscovery",
  "toolSearch",
  "excludedBuiltinAgents",
  "capi",
  "models",
  "enableSessionTelemetry",
  "enableCitations",
  "enableFileChangeTracking",
  "sessionLimits",
  "githubMcpToolConfig",
  "workingDirectory",
  "additionalDirectories",
  "streaming",
  "mcpOAuthTokenStorage",
  "askUserVariant",
  "authClientIdMetadataUrl",
  "featureFlags",
  "customAgentsLocalOnly",
  "defaultAgent",
  "agent",
  "skillDirectories",
  "pluginDirectories",
  "instructionDirectories",
  "disabledSkills",
  "disabledMcpServers",
  "infiniteSessions",
  "memory",
  "gitHubToken",
  "remoteSession",
  "expAssignments",
  "enableManagedSettings",
  "managedSettings",
  "skipEmbeddingRetrieval",
  "embeddingCacheStorage",
  "organizationCustomInstructions",
  "enableOnDemandInstructionDiscovery",
  "enableFileHooks",
  "enableHostGitOperations",
  "enableSessionStore",
  "enableSkills",
  "requestCanvasRenderer",
  "requestExtensions",
  "diagnostics",
  "extensionSdkPath",
  "extensionInfo",
  "canvasProvider",
] as const satisfies readonly (keyof SessionFields)[];

/** What is off in mode `empty` unless the session says otherwise. */
const EMPTY_DEFAULTS: Partial<SessionFields> = {
  enableExperimentalMode: false,
  enableSessionTelemetry: false,
  mcpOAuthTokenStorage: "in-memory",
  skipEmbeddingRetrieval: true,
  embeddingCacheStorage: "in-memory",
  enableOnDemandInstructionDiscovery: false,
  enableFileHooks: false,
  enableHostGitOperations: false,
  enableSessionStore: false,
  enableSkills: false,
  memory: { enabled: false },
  customAgentsLocalOnly: true,
  skipCustomInstructions: true,
  coauthorEnabled: false,
  manageScheduleEnabled: false,
  includedBuiltinSkills: [],
};

/** @throws Error for a configuration that could not mean what its author hoped. */
export async function prepareConfig(
  given: SessionFields,
  mode: CopilotClientMode,
  forwardTelemetry: boolean,
): Promise<PreparedConfig> {
  const config = mode === "empty" ? withEmptyDefaults(given) : given;
  if (config.gitHubToken !== undefined && config.gitHubTokenProvider)
    throw new Error("gitHubToken and gitHubTokenProvider are mutually exclusive");
  const gitHubTokenRegistration = config.gitHubTokenProvider && randomUUID();
  const { systemMessage, transforms } = takeTransforms(
    mode === "empty" ? withoutEnvironment(config.systemMessage) : config.systemMessage,
  );
  const tokenProviders = new Map<string, BearerTokenProvider>();
  const take = <T extends { bearerTokenProvider?: BearerTokenProvider }>(name: string, provider: T) =>
    takeTokenProvider(name, provider, tokenProviders);
  const params = {
    ...Object.fromEntries(
      AS_THEY_ARE.filter((name) => config[name] !== undefined).map((name) => [name, config[name]]),
    ),
    isExperimentalMode: config.enableExperimentalMode,
    tools: config.tools && (await Promise.all(config.tools.map(toToolDefinition))),
    canvases: config.canvases?.map(({ declaration }) => declaration),
    commands: config.commands?.map(({ name, description }) => ({ name, description: description ?? "" })),
    systemMessage,
    availableTools: toToolPatterns("availableTools", config.availableTools),
    excludedTools: toToolPatterns("excludedTools", config.excludedTools),
    toolFilterPrecedence: "excluded",
    provider: config.provider && take("default", config.provider),
    providers: config.providers?.map((provider) => take(provider.name, provider)),
    largeOutput: toWireLargeOutput(config.largeOutput),
    requestPermission: config.onPermissionRequest !== undefined,
    requestUserInput: config.onUserInputRequest !== undefined,
    requestElicitation: config.onElicitationRequest !== undefined,
    requestExitPlanMode: config.onExitPlanModeRequest !== undefined,
    requestAutoModeSwitch: config.onAutoModeSwitchRequest !== undefined,
    ...(config.enableMcpApps ? { requestMcpApps: true } : {}),
    hooks: Object.values(config.hooks ?? {}).some(Boolean),
    includeSubAgentStreamingEvents: config.includeSubAgentStreamingEvents ?? true,
    ...(forwardTelemetry ? { enableGitHubTelemetryForwarding: true } : {}),
    mcpServers: toWireMcpServers(config.mcpServers),
    envValueMode: "direct",
    customAgents: config.customAgents?.map(toWireAgent),
    configDir: config.configDirectory,
    gitHubTokenProviderRegistrationId: gitHubTokenRegistration,
  } as unknown as PreparedConfig["params"];
  return {
    params,
    options: toOptions(config, mode),
    transforms,
    tokenProviders: tokenProviders.size > 0 ? tokenProviders : undefined,
    gitHubTokenRegistration,
  };
}

export function toCreateParams(
  { params }: PreparedConfig,
  { cloud, refreshCustomInstructions }: { cloud?: CloudSessionOptions; refreshCustomInstructions?: boolean },
  sessionId: string,
): SessionCreateParams {
  return {
    ...params,
    sessionId,
    ...(cloud ? { cloud } : {}),
    ...(refreshCustomInstructions === undefined ? {} : { refreshCustomInstructions }),
  } as SessionCreateParams;
}

export function toResumeParams(
  { params }: PreparedConfig,
  config: ResumeOptions,
  sessionId: string,
): SessionResumeParams {
  const { suppressResumeEvent, continuePendingWork, openCanvases } = config;
  return {
    ...params,
    sessionId,
    // A client that resumes is always told of requests, so that it can answer them by a call.
    requestPermission: true,
    disableResume: suppressResumeEvent,
    continuePendingWork,
    openCanvases,
  };
}

function withEmptyDefaults(given: SessionFields): SessionFields {
  if (given.availableTools === undefined) {
    throw new Error(
      "CopilotClient is in mode: 'empty' but the session config did not specify 'availableTools'. A session in this mode has only the tools it names, e.g. `new ToolSet().addBuiltIn(BuiltInTools.Isolated)`.",
    );
  }
  const config = { ...EMPTY_DEFAULTS } as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) if (value !== undefined) config[name] = value;
  return config as SessionFields;
}

/** In mode `empty` the model is not told about the server's machine, unless the application took that over. */
function withoutEnvironment(systemMessage: SystemMessageConfig | undefined): SystemMessageConfig {
  const without = { environment_context: { action: "remove" } } as const;
  if (systemMessage?.mode === "replace") return systemMessage;
  if (systemMessage?.mode !== "customize") {
    const content = systemMessage?.content;
    return { mode: "customize", ...(content !== undefined ? { content } : {}), sections: without };
  }
  if (systemMessage.sections?.environment_context) return systemMessage;
  return { ...systemMessage, sections: { ...systemMessage.sections, ...without } };
}

function takeTransforms(systemMessage: SystemMessageConfig | undefined) {
  if (systemMessage?.mode !== "customize" || !systemMessage.sections) return { systemMessage };
  const transforms = new Map<string, SectionTransformFn>();
  const sections: Record<string, unknown> = {};
  for (const [name, override] of Object.entries(systemMessage.sections)) {
    if (!override) continue;
    const { action, content } = override;
    if (typeof action === "function") transforms.set(name, action);
    sections[name] = typeof action === "function" ? { action: "transform" } : { action, content };
  }
  if (transforms.size === 0) return { systemMessage };
  return { systemMessage: { ...systemMessage, sections } as SystemMessageCustomizeConfig, transforms };
}

function takeTokenProvider<T extends { bearerTokenProvider?: BearerTokenProvider }>(
  name: string,
  provider: T,
  taken: Map<string, BearerTokenProvider>,
) {
  const { bearerTokenProvider, ...rest } = provider;
  if (!bearerTokenProvider) return provider;
  taken.set(name, bearerTokenProvider);
  return { ...rest, hasBearerTokenProvider: true };
}

function toWireMcpServers(servers: Record<string, MCPServerConfig> | undefined) {
  if (!servers) return undefined;
  const entries = Object.entries(servers).map(([name, server]) => {
    if (!("workingDirectory" in server)) return [name, server];
    const { workingDirectory, ...rest } = server;
    return [name, { ...rest, cwd: workingDirectory }];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function toWireAgent(agent: CustomAgentConfig) {
  return agent.mcpServers ? { ...agent, mcpServers: toWireMcpServers(agent.mcpServers) } : agent;
}

function toWireLargeOutput(config: SessionFields["largeOutput"]) {
  if (!config) return undefined;
  const { outputDirectory, ...rest } = config;
  return outputDirectory === undefined ? rest : { ...rest, outputDir: outputDirectory };
}

const OPTIONS = [
  "skipCustomInstructions",
  "customAgentsLocalOnly",
  "coauthorEnabled",
  "manageScheduleEnabled",
  "includedBuiltinSkills",
] as const satisfies readonly (keyof SessionFields)[];

function toOptions(config: SessionFields, mode: CopilotClientMode): Record<string, unknown> | undefined {
  const named = OPTIONS.filter((name) => config[name] !== undefined).map((name) => [name, config[name]]);
  const options: Record<string, unknown> = Object.fromEntries(named);
  if (mode === "empty") options.installedPlugins = [];
  return Object.keys(options).length > 0 ? options : undefined;
}
