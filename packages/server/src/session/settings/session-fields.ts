/**
 * What becomes of every field of `session.create`, `session.resume` and `session.options.update`. Who
 * makes a field work moves it to `honoured`, adds it to the proofs of `test/options.test.ts`, and takes
 * it out of `docs/compatibility.md`.
 */
import type { PublishedMethods, RuntimeMethods } from "@rightseat/protocol";
import type { FieldRule } from "./field-rules.ts";

type JoinField =
  | keyof RuntimeMethods["session.create"]["params"]
  | keyof RuntimeMethods["session.resume"]["params"];
type OptionField = keyof PublishedMethods["session.options.update"]["params"];

const honoured: FieldRule = { effect: "honoured" };
const none = (why: string, asks?: (value: unknown) => boolean): FieldRule => ({ effect: "none", why, asks });
const refused = (why: string, asks?: (value: unknown) => boolean): FieldRule => ({
  effect: "refused",
  why,
  asks,
});

/** Whatever it says, this server does the less of the two. */
const nothing = () => false;
const differsFrom = (usual: unknown) => (value: unknown) => value !== usual;

const NO_MCP = "has no effect: MCP servers are not connected";
const NO_SKILLS = "has no effect: skills are not loaded";
const NO_PLUGINS = "has no effect: plugins are not loaded";
const NO_CANVASES = "has no effect: canvases are not supported";
const NO_EXTENSIONS = "has no effect: extensions are not loaded";
const NO_TELEMETRY = "has no effect: the server sends no telemetry";
const NO_INDEX = "has no effect: there is no search by embeddings";
const ONE_TIER = "has no effect: every model has one context window";
const NO_POLICY = "asks for a policy that this server would not enforce";

export const JOIN_FIELDS = {
  sessionId: honoured,
  model: honoured,
  clientName: honoured,
  reasoningEffort: honoured,
  reasoningSummary: honoured,
  tools: honoured,
  systemMessage: honoured,
  availableTools: honoured,
  excludedTools: honoured,
  toolFilterPrecedence: honoured,
  toolSearch: honoured,
  provider: honoured,
  providers: honoured,
  models: honoured,
  capi: honoured,
  gitHubToken: honoured,
  gitHubTokenProviderRegistrationId: honoured,
  requestPermission: honoured,
  requestElicitation: honoured,
  requestUserInput: honoured,
  requestExitPlanMode: honoured,
  requestAutoModeSwitch: honoured,
  commands: honoured,
  hooks: honoured,
  enableFileHooks: honoured,
  workingDirectory: honoured,
  streaming: honoured,
  instructionDirectories: honoured,
  organizationCustomInstructions: honoured,
  skipCustomInstructions: honoured,
  disabledInstructionSources: honoured,
  enableHostGitOperations: honoured,
  customAgents: honoured,
  agent: honoured,
  excludedBuiltinAgents: honoured,
  includeSubAgentStreamingEvents: honoured,
  enableConfigDiscovery: honoured,
  modelCapabilities: honoured,
  enableCitations: honoured,
  defaultAgent: honoured,
  continuePendingWork: honoured,
  infiniteSessions: honoured,
  sessionLimits: honoured,
  enableFileChangeTracking: honoured,
  disableResume: honoured,
  additionalDirectories: honoured,
  largeOutput: honoured,
  managedSettings: honoured,

  cloud: refused("asks for a session in the cloud, and this server keeps its own"),
  enableManagedSettings: refused("would have an organisation's policy fetched; give it in 'managedSettings'"),

  traceparent: none("has no effect: traces are not exported"),
  tracestate: none("has no effect: traces are not exported"),
  featureFlags: none("has no effect: there are no feature flags"),
  isExperimentalMode: none("has no effect: there are no experimental features"),
  contextTier: none(ONE_TIER, differsFrom("default")),
  canvases: none(NO_CANVASES),
  requestCanvasRenderer: none(NO_CANVASES),
  canvasProvider: none(NO_CANVASES),
  openCanvases: none(NO_CANVASES),
  requestExtensions: none(NO_EXTENSIONS),
  extensionSdkPath: none(NO_EXTENSIONS),
  extensionInfo: none(NO_EXTENSIONS),
  requestedEnvironmentVariables: none(NO_EXTENSIONS),
  factories: none("has no effect: factories are not run"),
  customAgentsLocalOnly: none("has no effect: agents come from the application alone", nothing),
  enableSessionTelemetry: none(NO_TELEMETRY),
  enableGitHubTelemetryForwarding: none(NO_TELEMETRY),
  askUserVariant: none("has no effect: questions to the user have one shape", differsFrom("legacy")),
  requestMcpApps: none(NO_MCP),
  mcpServers: none(NO_MCP),
  githubMcpToolConfig: none(NO_MCP),
  mcpOAuthTokenStorage: none(NO_MCP, differsFrom("in-memory")),
  authClientIdMetadataUrl: none(NO_MCP),
  envValueMode: none(NO_MCP, differsFrom("direct")),
  disabledMcpServers: none(NO_MCP, nothing),
  configDir: none("has no effect: no configuration is read from folders"),
  skipEmbeddingRetrieval: none(NO_INDEX, nothing),
  embeddingCacheStorage: none(NO_INDEX, differsFrom("in-memory")),
  enableOnDemandInstructionDiscovery: honoured,
  enableSessionStore: none("has no effect: there is no index over sessions' contents"),
  enableSkills: none(NO_SKILLS),
  skillDirectories: none(NO_SKILLS),
  disabledSkills: none(NO_SKILLS, nothing),
  pluginDirectories: none(NO_PLUGINS),
  memory: none("has no effect: nothing is remembered over sessions"),
  remoteSession: none("has no effect: sessions are not exported", differsFrom("off")),
  expAssignments: none("has no effect: there are no experiments"),
} as const satisfies Record<JoinField, FieldRule>;

export const OPTION_FIELDS = {
  sessionId: honoured,
  model: honoured,
  reasoningEffort: honoured,
  reasoningSummary: honoured,
  clientName: honoured,
  provider: honoured,
  capi: honoured,
  workingDirectory: honoured,
  availableTools: honoured,
  excludedTools: honoured,
  toolFilterPrecedence: honoured,
  enableStreaming: honoured,
  askUserDisabled: honoured,
  continueOnAutoMode: honoured,
  enableFileHooks: honoured,
  skipCustomInstructions: honoured,
  organizationCustomInstructions: honoured,
  disabledInstructionSources: honoured,
  enableHostGitOperations: honoured,
  modelCapabilitiesOverrides: honoured,
  excludedBuiltinAgents: honoured,
  includedBuiltinAgents: honoured,
  suppressCustomAgentPrompt: honoured,

  // To go on without these would be to run, send or read what the application meant to prevent.
  sandboxConfig: refused("asks for a sandbox, and commands run without one here"),
  copilotUrl: refused("names another Copilot API; the server's own COPILOT_API_URL does that"),
  additionalContentExclusionPolicies: refused(NO_POLICY),

  verbosity: none("has no effect: models answer at their usual length"),
  lspClientName: none("has no effect: there are no language servers"),
  integrationId: none("has no effect: GITHUB_COPILOT_INTEGRATION_ID names the server's integration"),
  featureFlags: JOIN_FIELDS.featureFlags,
  isExperimentalMode: JOIN_FIELDS.isExperimentalMode,
  enableScriptSafety: none("has no effect: every command is asked for"),
  shell: none("has no effect: commands run in plain bash"),
  shellInitProfile: none("has no effect: commands run in plain bash", differsFrom("None")),
  shellProcessFlags: none("has no effect: commands run in plain bash"),
  sandboxConfigSource: none("has no effect: there is no sandbox", nothing),
  logInteractiveShells: none("has no effect: shells are not logged"),
  envValueMode: JOIN_FIELDS.envValueMode,
  allowAllMcpServerInstructions: none(NO_MCP),
  skillDirectories: JOIN_FIELDS.skillDirectories,
  includedBuiltinSkills: none(NO_SKILLS),
  disabledSkills: JOIN_FIELDS.disabledSkills,
  enableOnDemandInstructionDiscovery: honoured,
  maxInlineBinaryBytes: none("has no effect: images of tools stay in the conversation"),
  installedPlugins: none(NO_PLUGINS),
  customAgentsLocalOnly: JOIN_FIELDS.customAgentsLocalOnly,
  coauthorEnabled: none("has no effect: no trailer is asked of the model"),
  trajectoryFile: none("has no effect: the session's log is all that is written"),
  runningInInteractiveMode: none("has no effect: the server is headless"),
  enableReasoningSummaries: none("has no effect: 'reasoningSummary' says which", nothing),
  agentContext: none("has no effect: the server behaves alike in every context"),
  eventsLogDirectory: none("has no effect: the session's log is where it was made"),
  eventsLogIncludesSubagents: none("has no effect: the log holds what sub-agents do", nothing),
  manageScheduleEnabled: none("has no effect: there are no schedules"),
  sessionCapabilities: none("has no effect: a session's abilities follow from its other options"),
  skipEmbeddingRetrieval: JOIN_FIELDS.skipEmbeddingRetrieval,
  enableSessionStore: JOIN_FIELDS.enableSessionStore,
  enableSkills: JOIN_FIELDS.enableSkills,
  contextTier: JOIN_FIELDS.contextTier,
  sessionLimits: JOIN_FIELDS.sessionLimits,
} as const satisfies Record<OptionField, FieldRule>;
