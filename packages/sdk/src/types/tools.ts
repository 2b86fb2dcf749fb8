/** Tools that an application brings to a session. */
import type { CurrentToolMetadata } from "@rightseat/protocol";
import type { JsonValue } from "./json.ts";
import type { AnySchema } from "./schemas.ts";

/** How a call ended. */
export type ToolResultType = "success" | "failure" | "rejected" | "denied" | "timeout";

/** An image or a file that a tool gives the model. */
export type ToolBinaryResult = {
  /** Base64. */
  data: string;
  mimeType: string;
  type: "image" | "resource";
  description?: string;
};

/** Measurements of a call, by name. */
export type ToolTelemetry = Record<string, Record<string, JsonValue> | undefined>;

/** The result of a call, with all its details. */
export type ToolResultObject = {
  /** The text that the model reads. */
  textResultForLlm: string;
  binaryResultsForLlm?: ToolBinaryResult[];
  resultType: ToolResultType;
  error?: string;
  /** More than the model needs, for the session's log. */
  sessionLog?: string;
  toolTelemetry?: ToolTelemetry;
  /** Names of the tools that a tool search found. */
  toolReferences?: string[];
};

/** The result of a call. */
export type ToolResult = string | ToolResultObject;

/** One call of a tool. */
export interface ToolInvocation {
  sessionId: string;
  toolCallId: string;
  toolName: string;
  arguments: unknown;
  /** The session's tools; given to a tool that replaces the search for tools, and to no other. */
  availableTools?: CurrentToolMetadata[];
  /** W3C trace context of the call. */
  traceparent?: string;
  tracestate?: string;
  /**
   * Aborts when the call's result is not wanted any more: the run was aborted, another client answered,
   * or the session was left.
   */
  signal?: AbortSignal;
}

/**
 * Carries out a call. A text or a `ToolResultObject` is the result; another value is sent as JSON,
 * nothing as an empty text. Its error is logged, and the model is told that the tool failed.
 */
export type ToolHandler<TArgs = unknown> = (
  args: TArgs,
  invocation: ToolInvocation,
) => Promise<unknown> | unknown;

/** A tool of the application: its description for the model, and its handler. */
export interface Tool<TArgs = unknown> {
  /** Unique in the session: letters, digits, `_` and `-`. */
  name: string;
  description?: string;
  /**
   * A schema of Zod, Valibot, ArkType or another library of Standard Schema, by which arguments are checked before
   * the handler gets them; or JSON Schema; none for a tool without arguments.
   */
  parameters?: AnySchema<TArgs>;
  /** Without one, calls are shown as events and answered through `session.rpc.tools.handlePendingToolCall`. */
  handler?: ToolHandler<TArgs>;
  /** Replaces the server's own tool of this name; without it such a name is refused. */
  overridesBuiltInTool?: boolean;
  /** Runs without a permission request. */
  skipPermission?: boolean;
  /** `never` keeps the tool in every request; default `auto`. */
  defer?: "auto" | "never";
  /** The application's own notes, kept as they are. */
  metadata?: Record<string, unknown>;
  /** A successful call ends the turn. */
  isTerminal?: boolean;
}

/** How tools are kept out of the request and found by search. */
export interface ToolSearchConfig {
  enabled?: boolean;
  /** How many tools there must be before any are deferred. */
  deferThreshold?: number;
}
