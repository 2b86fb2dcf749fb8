/**
 * `@rightseat/sdk`: a client for Rightseat servers with the API of the official Copilot SDK. Loading it
 * does nothing; a `CopilotClient` connects when it is started, or first used.
 */
export type { CallOptions } from "./call-options.ts";
export { CopilotClient } from "./client.ts";
export { BuiltInTools, ToolSet } from "./config/tool-set.ts";
export { convertMcpCallToolResult, defineTool } from "./config/tools.ts";
export type { TlsOptions } from "./connection/dial.ts";
export type { ConnectionToken } from "./connection/handshake.ts";
export type { HeartbeatOptions } from "./connection/heartbeat.ts";
export type { LinkState, ReconnectOptions } from "./connection/link.ts";
export { ConnectionError, DeadlineError, RemoteError, reasonOf } from "./errors.ts";
export type { EventStream, EventStreamOptions } from "./events/event-stream.ts";
export {
  Canvas,
  CanvasError,
  createCanvas,
  defineFactory,
  FactoryResumeError,
  isFactoryRunTerminal,
} from "./not-supported.ts";
export {
  type CopilotRequestContext,
  CopilotRequestHandler,
  CopilotWebSocketCloseStatus,
  CopilotWebSocketForwarder,
  CopilotWebSocketHandler,
} from "./request-handler.ts";
export { approveAll, createAttributedPermissionResult } from "./requests/question-handlers.ts";
export type { ServerRpc, SessionRpc } from "./rpc.ts";
export { CopilotSession } from "./session/session.ts";
export {
  createSessionFsAdapter,
  type SessionFsConfig,
  type SessionFsFileInfo,
  type SessionFsHandler,
  type SessionFsProvider,
  type SessionFsSqliteProvider,
  type SessionFsSqliteQueryResult,
  type SessionFsSqliteQueryType,
  type SessionFsSqliteStatement,
  type SessionFsSqliteTransactionErrorClass,
  SessionFsSqliteTransactionFailure,
} from "./session-fs.ts";
export {
  type ChildProcessRuntimeConnection,
  type CopilotClientMode,
  type CopilotClientOptions,
  type InProcessRuntimeConnection,
  type StdioRuntimeConnection,
  type TcpRuntimeConnection,
  type TelemetryConfig,
  type TraceContext,
  type TraceContextProvider,
  type UriOptions,
  type UriRuntimeConnection,
  RuntimeConnection,
} from "./types/client-options.ts";
export type {
  AgentStopHandler,
  AgentStopHookInput,
  AgentStopHookOutput,
  BaseHookInput,
  ErrorOccurredHandler,
  ErrorOccurredHookInput,
  ErrorOccurredHookOutput,
  PostToolUseFailureHandler,
  PostToolUseFailureHookInput,
  PostToolUseFailureHookOutput,
  PostToolUseHandler,
  PostToolUseHookInput,
  PostToolUseHookOutput,
  PreMcpToolCallHandler,
  PreMcpToolCallHookInput,
  PreMcpToolCallHookOutput,
  PreToolUseHandler,
  PreToolUseHookInput,
  PreToolUseHookOutput,
  SessionEndHandler,
  SessionEndHookInput,
  SessionEndHookOutput,
  SessionHooks,
  SessionStartHandler,
  SessionStartHookInput,
  SessionStartHookOutput,
  UserPromptSubmittedHandler,
  UserPromptSubmittedHookInput,
  UserPromptSubmittedHookOutput,
  UserPromptTransformedHandler,
  UserPromptTransformedHookInput,
  UserPromptTransformedHookOutput,
} from "./types/hooks.ts";
export type {
  JsonValue,
} from "./types/json.ts";
export type {
  AssistantMessageEvent,
  MessageOptions,
  SessionEvent,
  SessionEventHandler,
  SessionEventPayload,
  SessionEventType,
  TypedSessionEventHandler,
} from "./types/messages.ts";
export type {
  AttributedPermissionResult,
  PermissionHandler,
  PermissionRequest,
  PermissionRequestResult,
  PermissionRequestedData,
  PermissionRequestedEvent,
} from "./types/permissions.ts";
export type {
  BearerTokenProvider,
  CapiSessionOptions,
  ModelBilling,
  ModelCapabilities,
  ModelCapabilitiesOverride,
  ModelInfo,
  ModelPolicy,
  NamedProviderConfig,
  ProviderConfig,
  ProviderModelConfig,
  ProviderTokenArgs,
  ReasoningEffort,
} from "./types/providers.ts";
export type {
  AutoModeSwitchHandler,
  AutoModeSwitchRequest,
  AutoModeSwitchResponse,
  CommandContext,
  CommandDefinition,
  CommandHandler,
  ElicitationContext,
  ElicitationFieldValue,
  ElicitationHandler,
  ElicitationParams,
  ElicitationResult,
  ElicitationSchema,
  ElicitationSchemaField,
  ExitPlanModeHandler,
  ExitPlanModeRequest,
  ExitPlanModeResult,
  McpAuthHandler,
  McpAuthRequest,
  McpAuthResult,
  McpAuthToken,
  SessionUiApi,
  UiInputOptions,
  UserInputHandler,
  UserInputRequest,
  UserInputResponse,
} from "./types/questions.ts";
export type {
  CanvasProviderIdentity,
  CloudSessionOptions,
  CloudSessionRepository,
  CopilotExpAssignmentResponse,
  CustomAgentConfig,
  DefaultAgentConfig,
  ExpConfigEntry,
  ExpFlagValue,
  ExtensionInfo,
  GitHubMcpToolConfig,
  InfiniteSessionConfig,
  LargeToolOutputConfig,
  MCPHTTPServerConfig,
  MCPServerConfig,
  MCPStdioServerConfig,
  ManagedSettings,
  ManagedSettingsPermissions,
  MemoryConfiguration,
  ResumeSessionConfig,
  SessionConfig,
  SessionConfigBase,
} from "./types/session-config.ts";
export type {
  ForegroundSessionInfo,
  GetAuthStatusResponse,
  GetStatusResponse,
  SessionBackgroundEvent,
  SessionCapabilities,
  SessionContext,
  SessionCreatedEvent,
  SessionDeletedEvent,
  SessionForegroundEvent,
  SessionLifecycleEvent,
  SessionLifecycleEventMetadata,
  SessionLifecycleEventType,
  SessionLifecycleHandler,
  SessionListFilter,
  SessionMetadata,
  SessionUpdatedEvent,
  TypedSessionLifecycleHandler,
} from "./types/sessions.ts";
export {
  SYSTEM_MESSAGE_SECTIONS,
  type SectionOverride,
  type SectionOverrideAction,
  type SectionTransformFn,
  type SystemMessageAppendConfig,
  type SystemMessageConfig,
  type SystemMessageCustomizeConfig,
  type SystemMessageReplaceConfig,
  type SystemMessageSection,
} from "./types/system-message.ts";
export type {
  Tool,
  ToolBinaryResult,
  ToolHandler,
  ToolInvocation,
  ToolResult,
  ToolResultObject,
  ToolResultType,
  ToolSearchConfig,
  ToolTelemetry,
  ZodSchema,
  ZodV3Schema,
} from "./types/tools.ts";
// What is named above takes the place of a wire type of the same name.
export type * from "@rightseat/protocol/types";
