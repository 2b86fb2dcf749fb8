/**
 * The hooks of a run, as the agent loop knows them. Nothing here rejects, whatever a hook does;
 * only a log that refuses writes makes it.
 */
import type { ToolResult } from "../tools/tool.ts";

/** A tool call, with the arguments that it is run with. */
export interface HookedCall {
  readonly toolCallId: string;
  readonly name: string;
  readonly args: unknown;
}

/** What hooks want of a tool call before it runs. */
export interface BeforeTool {
  /** The arguments to run it with: its own unless a hook changed them. */
  readonly args: unknown;
  /** "allow": without asking anybody; "ask": a person decides; undefined: as without hooks. */
  readonly decision?: "allow" | "deny" | "ask";
  /** The reason for the decision. */
  readonly reason?: string;
  /** The model is not to see the result. */
  readonly suppressOutput: boolean;
}

export interface RunFailure {
  readonly message: string;
  readonly context: "model_call" | "tool_execution" | "system" | "user_input";
  /** Whether trying again may help. */
  readonly recoverable: boolean;
}

/** What hooks want done about a failure. */
export interface FailureHandling {
  /** How often to try again in a row; 0 for not. */
  readonly retries: number;
  /** Clients are not to be told of it. */
  readonly quiet: boolean;
  /** Nothing more is to be tried. */
  readonly abort: boolean;
}

export interface RunHooks {
  beforeTool(call: HookedCall): Promise<BeforeTool>;
  /** The result as hooks leave it. @param withhold the model is not to see a successful one. */
  afterTool(call: HookedCall, result: ToolResult, withhold: boolean): Promise<ToolResult>;
  onFailure(failure: RunFailure): Promise<FailureHandling>;
  /** The agent would stop. True when a hook wants it to go on: what the hook said is in the conversation then. */
  keepsGoing(): Promise<boolean>;
}
