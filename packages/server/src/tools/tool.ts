/**
 * The seam to everything that a model may call: built-in tools, custom tools of clients, tools of MCP servers.
 * The agent loop treats all tools alike: prepare → permission → execute → finish.
 */
import type { ToolExecutionCompleteContent } from "@rightseat/protocol";
import type { ModelTool, ToolImage } from "../models/model-provider.ts";
import type { PermissionVerdict } from "../permissions/verdict.ts";

export type ToolSource = "builtin" | "custom" | "mcp";

/** The content of a permission prompt, in the wire's shape of a permission request. */
export interface PermissionAsk {
  readonly kind: string;
  readonly [field: string]: unknown;
}

export interface ToolContext {
  readonly sessionId: string;
  readonly toolCallId: string;
  /** Aborts when the turn does. A tool that ignores it is left behind after a second. */
  readonly signal: AbortSignal;
  readonly workingDirectory: string;
  /** Shows output while the tool runs; ephemeral. */
  readonly onOutput: (partial: string) => void;
  /** Asks for a permission that turned out to be needed while the tool runs. Resolves always. */
  readonly ask: (ask: PermissionAsk) => Promise<PermissionVerdict>;
}

export interface FileEdit {
  readonly kind: "create" | "edit";
  /** Absolute, without links. */
  readonly path: string;
}

/** How a tool ended, in the field's terms. `text` is what the model reads. */
export interface ToolResult {
  readonly resultType: "success" | "failure" | "rejected" | "denied" | "timeout";
  readonly text: string;
  /** The text for a person, when it differs from `text`. */
  readonly detailedText?: string;
  /** For logs and the `error` of the completion event; only when it did not succeed. */
  readonly error?: { readonly message: string; readonly code?: string };
  readonly images?: readonly ToolImage[];
  readonly telemetry?: Readonly<Record<string, unknown>>;
  /** Ends the turn after this call: the model is not called again. */
  readonly endsTurn?: boolean;
  /** Content that clients may show instead of the text. */
  readonly contents?: readonly ToolExecutionCompleteContent[];
  /** The files that the call has changed, in order. */
  readonly fileEdits?: readonly FileEdit[];
}

export interface Tool {
  readonly definition: ModelTool;
  readonly source: ToolSource;
  /** Ends the turn when it succeeds. */
  readonly isTerminal?: boolean;
  /** May be kept from the model until a tool search finds it. */
  readonly mayBeDeferred?: boolean;
  /** The question to ask before running, or undefined when none is needed. Must not have effects. */
  permission?(
    args: unknown,
    context: ToolContext,
  ): PermissionAsk | undefined | Promise<PermissionAsk | undefined>;
  /** Runs it. A throw becomes a failed result that the model reads. */
  run(args: unknown, context: ToolContext): Promise<ToolResult>;
}
