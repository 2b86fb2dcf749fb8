/** Configuration of a session. Every field may be left out; the server has its own defaults. */
import type {
  ContextTier,
  DiagnosticsConfiguration,
  GitHubTokenAcquireRequest,
  GitHubTokenAcquireResult,
  ReasoningSummary,
  RemoteSessionMode,
  SessionLimitsConfig,
} from "@rightseat/protocol";
import type { Canvas } from "../canvas.ts";
import type { ToolSet } from "../config/tool-set.ts";
import type { SessionHooks } from "./hooks.ts";
import type { SessionEventHandler } from "./messages.ts";
import type { PermissionHandler } from "./permissions.ts";
import type {
  CapiSessionOptions,
  ModelCapabilitiesOverride,
  NamedProviderConfig,
  ProviderConfig,
  ProviderModelConfig,
  ReasoningEffort,
} from "./providers.ts";
import type {
  AutoModeSwitchHandler,
  CommandDefinition,
  ElicitationHandler,
  ExitPlanModeHandler,
  McpAuthHandler,
  UserInputHandler,
} from "./questions.ts";
import type { SystemMessageConfig } from "./system-message.ts";
import type { Tool, ToolSearchConfig } from "./tools.ts";

interface MCPServerConfigBase {
  /** Which of its tools; nothing or `["*"]` means all. */
  tools?: string[];
  /** Default `stdio`. */
  type?: string;
  /** Milliseconds for one tool call. */
  timeout?: number;
}

/** An MCP server that is started as a process, where the Rightseat server runs. */
export interface MCPStdioServerConfig extends MCPServerConfigBase {
  type?: "local" | "stdio";
  command: string;
  args?: string[];
  env?: Record<string, string>;
  workingDirectory?: string;
}

/** An MCP server that is reached over HTTP. */
export interface MCPHTTPServerConfig extends MCPServerConfigBase {
  type: "http" | "sse";
  url: string;
  headers?: Record<string, string>;
}

/** An MCP server. */
export type MCPServerConfig = MCPStdioServerConfig | MCPHTTPServerConfig;

/** An agent of the application's own. */
export interface CustomAgentConfig {
  /** Unique in the session. */
  name: string;
  displayName?: string;
  /** When to hand a task to it. */
  description?: string;
  /** Nothing or null means all. */
  tools?: string[] | null;
  /** Its instructions. */
  prompt: string;
  mcpServers?: Record<string, MCPServerConfig>;
  /** Whether the model may choose it; default true. */
  infer?: boolean;
  /** Skills whose text it gets from the start. */
  skills?: string[];
  model?: string;
  reasoningEffort?: ReasoningEffort;
}

/** The agent that works when no custom one is chosen. */
export interface DefaultAgentConfig {
  /** Tools that it does not have, and custom agents may. */
  excludedTools?: string[];
}

/** How a session goes on when its context is full. */
export interface InfiniteSessionConfig {
  /** Default true. */
  enabled?: boolean;
  /** Share of the context window, 0 to 1, at which compaction starts beside the work. */
  backgroundCompactionThreshold?: number;
  /** Share at which the work waits for it. */
  bufferExhaustionThreshold?: number;
}

/** Whether the agent remembers things beyond the session. */
export interface MemoryConfiguration {
  enabled: boolean;
}

/** How tool results that are too large for the context are treated. */
export interface LargeToolOutputConfig {
  enabled?: boolean;
  /** 0 is the default. */
  maxSizeBytes?: number;
  /** Where they are written instead. */
  outputDirectory?: string;
}

/** A repository on GitHub. */
export interface CloudSessionRepository {
  owner: string;
  name: string;
  branch?: string;
}

/** A session that would run at GitHub; Rightseat refuses it. */
export interface CloudSessionOptions {
  repository?: CloudSessionRepository;
}

/** The extension of the Copilot CLI that a program is. */
export interface ExtensionInfo {
  source: string;
  name: string;
}

/** The provider that shows canvases. */
export interface CanvasProviderIdentity {
  id: string;
  name?: string;
}

/** Which tools of GitHub's MCP server there are. */
export interface GitHubMcpToolConfig {
  enableAllTools?: boolean;
  additionalToolsets?: string[];
  additionalTools?: string[];
  enableInsidersMode?: boolean;
  disableFormDeferral?: boolean;
}

/** Ways of approving everything that may be switched off. */
export const DisableBypassPermissionsModes = {
  /** All of it. */
  Disable: "disable",
  /** Permissions that are not decided request by request. */
  AllowAutoOnly: "allow-auto-only",
} as const;

/** Rules for actions that agents may not do, must ask for, and may do. */
export interface ManagedSettingsPermissions {
  /** One of `DisableBypassPermissionsModes`; an unknown value is sent unchanged. */
  disableBypassPermissionsMode?: string;
  deny?: string[];
  ask?: string[];
  allow?: string[];
}

/** Policy that the application enforces. */
export interface ManagedSettings {
  permissions?: ManagedSettingsPermissions;
}

/** The value of a parameter of an experiment. */
export type ExpFlagValue = string | number | boolean | null;

/** The parameters of one experiment. */
export interface ExpConfigEntry {
  Id: string;
  Parameters: Record<string, ExpFlagValue>;
}

/** Which experiments the user takes part in, as GitHub tells it. */
export interface CopilotExpAssignmentResponse {
  Features: string[];
  Flights: Record<string, string>;
  Configs: ExpConfigEntry[];
  ParameterGroups?: unknown;
  FlightingVersion?: number;
  ImpressionId?: string;
  AssignmentContext: string;
}

/** How the agent asks: a question with choices, or a form. */
export type AskUserVariant = "legacy" | "elicitation";

/** Which token is wanted, and why. */
export type GitHubTokenProviderArgs = Pick<GitHubTokenAcquireRequest, "host" | "sessionId" | "reason">;

/** A token and the seconds that it lasts, or `cancelled`. */
export type GitHubTokenProviderResult = GitHubTokenAcquireResult;

/** Gets a GitHub token: when the session begins, and before the one before runs out. */
export type GitHubTokenProvider = (
  args: GitHubTokenProviderArgs,
) => GitHubTokenProviderResult | Promise<GitHubTokenProviderResult>;

/** Configuration of a session that is created or resumed. */
export interface SessionFields {
  /** The application's name. */
  clientName?: string;
  model?: string;
  reasoningEffort?: ReasoningEffort;
  reasoningSummary?: ReasoningSummary;
  /** Default false in mode `empty`. */
  enableExperimentalMode?: boolean;
  contextTier?: ContextTier;
  /** Abilities of the model, when the server does not know them or has them wrong. */
  modelCapabilities?: ModelCapabilitiesOverride;
  largeOutput?: LargeToolOutputConfig;
  configDirectory?: string;
  enableConfigDiscovery?: boolean;

  /** Tools of the application's own. */
  // biome-ignore lint/suspicious/noExplicitAny: tools of different arguments go into one list
  tools?: Tool<any>[];
  toolSearch?: ToolSearchConfig;
  /** Which tools there are; required in mode `empty`. Names, or `builtin:`, `mcp:`, `custom:` and a name or `*`. */
  availableTools?: string[] | ToolSet;
  /** Which of those there are not. */
  excludedTools?: string[] | ToolSet;
  excludedBuiltinAgents?: string[];
  /** Which of the server's own skills; in mode `empty`, none unless they are named. */
  includedBuiltinSkills?: string[];
  commands?: CommandDefinition[];
  systemMessage?: SystemMessageConfig;

  /** The model provider of the whole session. */
  provider?: ProviderConfig;
  capi?: CapiSessionOptions;
  /** Several providers, and in `models` what each of them serves. */
  providers?: NamedProviderConfig[];
  models?: ProviderModelConfig[];

  enableSessionTelemetry?: boolean;
  enableCitations?: boolean;
  enableFileChangeTracking?: boolean;
  sessionLimits?: SessionLimitsConfig;
  /** Leaves out the instruction files of the repository; default true in mode `empty`. */
  skipCustomInstructions?: boolean;
  customAgentsLocalOnly?: boolean;
  coauthorEnabled?: boolean;
  manageScheduleEnabled?: boolean;

  /** Decides what the agent may do. Left out, requests are shown as events and wait for an answer. */
  onPermissionRequest?: PermissionHandler;
  onMcpAuthRequest?: McpAuthHandler;
  onUserInputRequest?: UserInputHandler;
  /** How the agent asks: a question, or a form, which needs `onElicitationRequest` too; default `legacy`. */
  askUserVariant?: AskUserVariant;
  onElicitationRequest?: ElicitationHandler;
  onExitPlanModeRequest?: ExitPlanModeHandler;
  onAutoModeSwitchRequest?: AutoModeSwitchHandler;
  hooks?: SessionHooks;
  /** Gets every event from the first on, those of creating the session included. */
  onEvent?: SessionEventHandler;

  enableMcpApps?: boolean;
  githubMcpToolConfig?: GitHubMcpToolConfig;
  /** Where the tools work. */
  workingDirectory?: string;
  /** Where else they may. */
  additionalDirectories?: string[];
  /** Tells answers while they are written: `assistant.message_delta` and others; default false. */
  streaming?: boolean;
  /** The same of sub-agents; default true. */
  includeSubAgentStreamingEvents?: boolean;
  mcpServers?: Record<string, MCPServerConfig>;
  mcpOAuthTokenStorage?: "persistent" | "in-memory";
  /** Where MCP servers find out about the application, for their authorization. */
  authClientIdMetadataUrl?: string;
  customAgents?: CustomAgentConfig[];
  defaultAgent?: DefaultAgentConfig;
  /** The custom agent that begins. */
  agent?: string;
  skillDirectories?: string[];
  pluginDirectories?: string[];
  instructionDirectories?: string[];
  disabledSkills?: string[];
  disabledMcpServers?: string[];
  infiniteSessions?: InfiniteSessionConfig;
  memory?: MemoryConfiguration;
  /** The GitHub account of this session. A secret. */
  gitHubToken?: string;
  /** Gets tokens for it when they are needed, in place of `gitHubToken`. */
  gitHubTokenProvider?: GitHubTokenProvider;
  enableManagedSettings?: boolean;
  managedSettings?: ManagedSettings;
  skipEmbeddingRetrieval?: boolean;
  embeddingCacheStorage?: "persistent" | "in-memory";
  organizationCustomInstructions?: string;
  enableOnDemandInstructionDiscovery?: boolean;
  enableFileHooks?: boolean;
  enableHostGitOperations?: boolean;
  enableSessionStore?: boolean;
  enableSkills?: boolean;
  remoteSession?: RemoteSessionMode;

  canvases?: Canvas[];
  requestCanvasRenderer?: boolean;
  requestExtensions?: boolean;
  /** Diagnostics of MCP servers to keep for `session.rpc.diagnostics.read`; default none. */
  diagnostics?: DiagnosticsConfiguration;
  extensionSdkPath?: string;
  extensionInfo?: ExtensionInfo;
  canvasProvider?: CanvasProviderIdentity;
  featureFlags?: Record<string, boolean>;
  expAssignments?: CopilotExpAssignmentResponse;
}
