/** Where an application may look at a session's work, and change it. */
import type { ToolResultObject } from "./tools.ts";

/** Input that every hook gets. */
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

/** The tool, and the arguments it would run with. */
export interface PreToolUseHookInput extends BaseHookInput {
  toolName: string;
  toolArgs: unknown;
}
/** Whether the tool may run, and with which arguments. */
export interface PreToolUseHookOutput {
  permissionDecision?: "allow" | "deny" | "ask";
  permissionDecisionReason?: string;
  /** Takes the place of the arguments. */
  modifiedArgs?: unknown;
  additionalContext?: string;
  suppressOutput?: boolean;
}
/** Asked before a tool runs. */
export type PreToolUseHandler = Handler<PreToolUseHookInput, PreToolUseHookOutput>;

/** The call as it would go to the MCP server. */
export interface PreMcpToolCallHookInput extends BaseHookInput {
  toolCallId?: string;
  serverName: string;
  toolName: string;
  arguments: unknown;
  _meta?: Record<string, unknown>;
}
/** Changes to the call, made before it runs. */
export interface PreMcpToolCallHookOutput {
  /** Takes the place of the request's `_meta`; null removes it. */
  metaToUse?: Record<string, unknown> | null;
}
/** Asked before a tool of an MCP server is called. */
export type PreMcpToolCallHandler = Handler<PreMcpToolCallHookInput, PreMcpToolCallHookOutput>;

/** A tool that ran, and what came of it. */
export interface PostToolUseHookInput extends BaseHookInput {
  toolName: string;
  toolArgs: unknown;
  toolResult: ToolResultObject;
}
/** Replaces the result, or adds text for the model. */
export interface PostToolUseHookOutput {
  modifiedResult?: ToolResultObject;
  additionalContext?: string;
  suppressOutput?: boolean;
}
/** Asked after a tool ran with success. */
export type PostToolUseHandler = Handler<PostToolUseHookInput, PostToolUseHookOutput>;

/** A tool that failed. */
export interface PostToolUseFailureHookInput extends BaseHookInput {
  toolName: string;
  toolArgs: unknown;
  /** The error as the tool reported it. */
  error: string;
}
/** Text for the model. */
export interface PostToolUseFailureHookOutput {
  /** Told to the model beside the failure. */
  additionalContext?: string;
}
/** Asked after a tool failed. */
export type PostToolUseFailureHandler = Handler<PostToolUseFailureHookInput, PostToolUseFailureHookOutput>;

/** A prompt as it came. */
export interface UserPromptSubmittedHookInput extends BaseHookInput {
  prompt: string;
}
/** Replaces the prompt, or adds text for the model. */
export interface UserPromptSubmittedHookOutput {
  modifiedPrompt?: string;
  additionalContext?: string;
  suppressOutput?: boolean;
}
/** Asked when a prompt came in. */
export type UserPromptSubmittedHandler = Handler<UserPromptSubmittedHookInput, UserPromptSubmittedHookOutput>;

/** A prompt as it came, and as it would be stored. */
export interface UserPromptTransformedHookInput extends BaseHookInput {
  prompt: string;
  /** The text that the model would be sent. */
  transformedPrompt: string;
}
/** Replaces that text. */
export interface UserPromptTransformedHookOutput {
  modifiedTransformedPrompt?: string;
}
/** Asked before a prompt is stored. */
export type UserPromptTransformedHandler = Handler<
  UserPromptTransformedHookInput,
  UserPromptTransformedHookOutput
>;

/** How the session began. */
export interface SessionStartHookInput extends BaseHookInput {
  source: "startup" | "resume" | "new";
  initialPrompt?: string;
}
/** Text for the model at the beginning. */
export interface SessionStartHookOutput {
  additionalContext?: string;
  modifiedConfig?: Record<string, unknown>;
}
/** Asked when a session begins or resumes. */
export type SessionStartHandler = Handler<SessionStartHookInput, SessionStartHookOutput>;

/** Why the session ended. */
export interface SessionEndHookInput extends BaseHookInput {
  reason: "complete" | "error" | "abort" | "timeout" | "user_exit";
  finalMessage?: string;
  error?: string;
}
/** Notes about the end of the session. */
export interface SessionEndHookOutput {
  suppressOutput?: boolean;
  cleanupActions?: string[];
  sessionSummary?: string;
}
/** Told when a session ends. */
export type SessionEndHandler = Handler<SessionEndHookInput, SessionEndHookOutput>;

/** The error, and where it happened. */
export interface ErrorOccurredHookInput extends BaseHookInput {
  error: string;
  errorContext: "model_call" | "tool_execution" | "system" | "user_input";
  recoverable: boolean;
}
/** How the run goes on after the error. */
export interface ErrorOccurredHookOutput {
  suppressOutput?: boolean;
  errorHandling?: "retry" | "skip" | "abort";
  retryCount?: number;
  userNotification?: string;
}
/** Asked when something went wrong. */
export type ErrorOccurredHandler = Handler<ErrorOccurredHookInput, ErrorOccurredHookOutput>;

/** How the agent came to stop. */
export interface AgentStopHookInput extends BaseHookInput {
  /** Why it stopped, for example `end_turn`. */
  stopReason?: string;
  transcriptPath?: string;
  /** This hook has kept the agent going before. */
  stopHookActive?: boolean;
}
/** Says whether the agent goes on. */
export interface AgentStopHookOutput {
  /** `block` keeps the agent going with `reason` as its next message. */
  decision?: "block";
  reason?: string;
}
/** Asked when the agent is done of its own accord. */
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
