/** Where an application may look at a session's work, and change it. */
import type { ToolResultObject } from "./tools.ts";

export interface BaseHookInput {
  /** The session it happened in; of a sub-agent, another than the invocation's. */
  sessionId: string;
  timestamp: Date;
  workingDirectory: string;
}

type Handler<Input, Output> = (
  input: Input,
  invocation: { sessionId: string },
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing changes nothing
) => Promise<Output | void> | Output | void;

export interface PreToolUseHookInput extends BaseHookInput {
  toolName: string;
  toolArgs: unknown;
}
export interface PreToolUseHookOutput {
  permissionDecision?: "allow" | "deny" | "ask";
  permissionDecisionReason?: string;
  /** Takes the place of the arguments. */
  modifiedArgs?: unknown;
  additionalContext?: string;
  suppressOutput?: boolean;
}
export type PreToolUseHandler = Handler<PreToolUseHookInput, PreToolUseHookOutput>;

export interface PreMcpToolCallHookInput extends BaseHookInput {
  toolCallId?: string;
  serverName: string;
  toolName: string;
  arguments: unknown;
  _meta?: Record<string, unknown>;
}
export interface PreMcpToolCallHookOutput {
  /** Takes the place of the request's `_meta`; null removes it. */
  metaToUse?: Record<string, unknown> | null;
}
export type PreMcpToolCallHandler = Handler<PreMcpToolCallHookInput, PreMcpToolCallHookOutput>;

export interface PostToolUseHookInput extends BaseHookInput {
  toolName: string;
  toolArgs: unknown;
  toolResult: ToolResultObject;
}
export interface PostToolUseHookOutput {
  modifiedResult?: ToolResultObject;
  additionalContext?: string;
  suppressOutput?: boolean;
}
export type PostToolUseHandler = Handler<PostToolUseHookInput, PostToolUseHookOutput>;

export interface PostToolUseFailureHookInput extends BaseHookInput {
  toolName: string;
  toolArgs: unknown;
  /** What the tool said went wrong. */
  error: string;
}
export interface PostToolUseFailureHookOutput {
  /** Told to the model beside the failure. */
  additionalContext?: string;
}
export type PostToolUseFailureHandler = Handler<PostToolUseFailureHookInput, PostToolUseFailureHookOutput>;

export interface UserPromptSubmittedHookInput extends BaseHookInput {
  prompt: string;
}
export interface UserPromptSubmittedHookOutput {
  modifiedPrompt?: string;
  additionalContext?: string;
  suppressOutput?: boolean;
}
export type UserPromptSubmittedHandler = Handler<UserPromptSubmittedHookInput, UserPromptSubmittedHookOutput>;

export interface UserPromptTransformedHookInput extends BaseHookInput {
  prompt: string;
  /** What the model would be sent. */
  transformedPrompt: string;
}
export interface UserPromptTransformedHookOutput {
  modifiedTransformedPrompt?: string;
}
export type UserPromptTransformedHandler = Handler<
  UserPromptTransformedHookInput,
  UserPromptTransformedHookOutput
>;

export interface SessionStartHookInput extends BaseHookInput {
  source: "startup" | "resume" | "new";
  initialPrompt?: string;
}
export interface SessionStartHookOutput {
  additionalContext?: string;
  modifiedConfig?: Record<string, unknown>;
}
export type SessionStartHandler = Handler<SessionStartHookInput, SessionStartHookOutput>;

export interface SessionEndHookInput extends BaseHookInput {
  reason: "complete" | "error" | "abort" | "timeout" | "user_exit";
  finalMessage?: string;
  error?: string;
}
export interface SessionEndHookOutput {
  suppressOutput?: boolean;
  cleanupActions?: string[];
  sessionSummary?: string;
}
export type SessionEndHandler = Handler<SessionEndHookInput, SessionEndHookOutput>;

export interface ErrorOccurredHookInput extends BaseHookInput {
  error: string;
  errorContext: "model_call" | "tool_execution" | "system" | "user_input";
  recoverable: boolean;
}
export interface ErrorOccurredHookOutput {
  suppressOutput?: boolean;
  errorHandling?: "retry" | "skip" | "abort";
  retryCount?: number;
  userNotification?: string;
}
export type ErrorOccurredHandler = Handler<ErrorOccurredHookInput, ErrorOccurredHookOutput>;

export interface AgentStopHookInput extends BaseHookInput {
  /** Why it stopped, for example `end_turn`. */
  stopReason?: string;
  transcriptPath?: string;
  /** This hook has kept the agent going before. */
  stopHookActive?: boolean;
}
export interface AgentStopHookOutput {
  /** `block` keeps the agent going with `reason` as its next message. */
  decision?: "block";
  reason?: string;
}
export type AgentStopHandler = Handler<AgentStopHookInput, AgentStopHookOutput>;

/** A hook that throws counts as one that said nothing. */
export interface SessionHooks {
  /** Before a tool runs. */
  onPreToolUse?: PreToolUseHandler;
  /** Before a tool of an MCP server is called. */
  onPreMcpToolCall?: PreMcpToolCallHandler;
  /** After a tool ran with success. */
  onPostToolUse?: PostToolUseHandler;
  /** After a tool failed. */
  onPostToolUseFailure?: PostToolUseFailureHandler;
  /** When a prompt came in. */
  onUserPromptSubmitted?: UserPromptSubmittedHandler;
  /** When what was generated for a prompt has been added to it, before it is stored. */
  onUserPromptTransformed?: UserPromptTransformedHandler;
  onSessionStart?: SessionStartHandler;
  onSessionEnd?: SessionEndHandler;
  onErrorOccurred?: ErrorOccurredHandler;
  /** When the agent is done of its own accord. */
  onAgentStop?: AgentStopHandler;
}
