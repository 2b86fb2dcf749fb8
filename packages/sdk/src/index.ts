/**
 * `@rightseat/sdk`: a client for Rightseat servers with the API of the official Copilot SDK. Loading it
 * does nothing; a `CopilotClient` connects when it is started, or first used.
 */

// What is named above takes the place of a wire type of the same name.
export type * from "@rightseat/protocol/types";
export type { CallOptions } from "./call-options.ts";
export {
  Canvas,
  type CanvasAction,
  type CanvasDeclaration,
  CanvasError,
  type CanvasJsonSchema,
  type CanvasOptions,
  createCanvas,
} from "./canvas.ts";
export { CopilotClient } from "./client.ts";
export { BuiltInTools, ToolSet } from "./config/tool-set.ts";
export { convertMcpCallToolResult, defineTool } from "./config/tools.ts";
export type { CopilotClientInfo } from "./connection/client-info.ts";
export type { TlsOptions } from "./connection/dial.ts";
export type { HeartbeatOptions } from "./connection/heartbeat.ts";
export type { ConnectionToken, LinkState, ReconnectOptions } from "./connection/settings.ts";
export { ConnectionError, DeadlineError, PromptRemovedError, RemoteError, reasonOf } from "./errors.ts";
export type { EventStream, EventStreamOptions } from "./events/event-stream.ts";
export {
  defineFactory,
  defineWorkflow,
  FactoryResumeError,
  isFactoryRunTerminal,
  isWorkflowRunTerminal,
  WorkflowResumeError,
} from "./factories.ts";
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
  type ExtensionLaunchProvider,
  type InProcessRuntimeConnection,
  type InstallationCancellation,
  type InstallationConfirmationHandler,
  RuntimeConnection,
  type StdioRuntimeConnection,
  type TcpRuntimeConnection,
  type TelemetryConfig,
  type TraceContext,
  type TraceContextProvider,
  type UriOptions,
  type UriRuntimeConnection,
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
export type { ResumeSessionConfig, SessionConfig, SessionConfigBase } from "./types/join-config.ts";
export type { JsonValue } from "./types/json.ts";
export type {
  AssistantMessageEvent,
  ExtensionContextAttachment,
  MessageOptions,
  MessageSource,
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
  PermissionRequestedData,
  PermissionRequestedEvent,
  PermissionRequestResult,
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
  AnySchema,
  ResponseSchema,
  StandardSchema,
  StandardSchemaIssue,
  StandardSchemaResult,
  ZodSchema,
  ZodV3Schema,
} from "./types/schemas.ts";
export {
  type AskUserVariant,
  type CanvasProviderIdentity,
  type CloudSessionOptions,
  type CloudSessionRepository,
  type CopilotExpAssignmentResponse,
  type CustomAgentConfig,
  type DefaultAgentConfig,
  DisableBypassPermissionsModes,
  type ExpConfigEntry,
  type ExpFlagValue,
  type ExtensionInfo,
  type GitHubMcpToolConfig,
  type GitHubTokenProvider,
  type GitHubTokenProviderArgs,
  type GitHubTokenProviderResult,
  type InfiniteSessionConfig,
  type LargeToolOutputConfig,
  type ManagedSettings,
  type ManagedSettingsPermissions,
  type MCPHTTPServerConfig,
  type MCPServerConfig,
  type MCPStdioServerConfig,
  type MemoryConfiguration,
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
  type SectionOverride,
  type SectionOverrideAction,
  type SectionTransformFn,
  SYSTEM_MESSAGE_SECTIONS,
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
} from "./types/tools.ts";
