/**
 * Everything that the agent loop knows of the session it works for. `session/` implements it with
 * small adapters; tests with a few lines.
 */
import type { SessionEventDataMap, SessionEventType } from "@rightseat/protocol";
import type { RunHooks } from "../hooks/run-hooks.ts";
import type {
  ModelError,
  ModelMessage,
  ModelProvider,
  ModelTool,
  ModelUsage,
  ResponseFormat,
} from "../models/model-provider.ts";
import type { RetryPolicy } from "../models/retry.ts";
import type { PermissionVerdict } from "../permissions/verdict.ts";
import type { PermissionAsk, Tool } from "../tools/tool.ts";
import type { LeftOutKind } from "./leave-out.ts";

/** A tool call that the model asked for and whose result is not in the log. */
export interface PendingToolCall {
  readonly toolCallId: string;
  readonly name: string;
  readonly arguments: string;
  /** Its start was logged before (a run gone on with after a crash). */
  readonly started?: boolean;
  /** Permission was given before. */
  readonly permitted?: boolean;
}

/** What a model takes of images, where that is known. */
export interface ImageLimits {
  readonly maxImages?: number;
  /** The size of one image, decoded. */
  readonly maxImageBytes?: number;
  readonly mediaTypes?: readonly string[];
}

/** The model that the next call goes to. */
export interface ActiveModel {
  /** As clients select it. */
  readonly id: string;
  /** As the provider spells it. */
  readonly wireModel: string;
  readonly provider: ModelProvider;
  readonly contextWindowTokens: number;
  readonly maxPromptTokens?: number;
  readonly maxOutputTokens?: number;
  readonly supportsVision: boolean;
  readonly imageLimits?: ImageLimits;
  readonly isByok: boolean;
  readonly reasoningEffort?: string;
  readonly reasoningSummary?: string;
}

/** What a model call consists of besides the conversation. */
export interface ContextCall {
  readonly model: ActiveModel;
  readonly system: string;
  readonly tools: readonly ModelTool[];
}

/** The tools of one model call. */
export interface ToolSet {
  readonly definitions: readonly Tool["definition"][];
  /** Tools that a tool search may bring up. */
  readonly waiting?: readonly Tool["definition"][];
  get(name: string): Tool | undefined;
}

/** The reason of an abort that ends a run for now: what is open stays open, to be gone on with. */
export class RunSuspended extends Error {
  constructor() {
    super("the session was suspended");
    this.name = "RunSuspended";
  }
}

export type AbortReason = SessionEventDataMap["abort"]["reason"];

/** The reason of an abort that ends a run for good, and who wanted it. */
export class RunAborted extends Error {
  readonly reason: AbortReason;
  constructor(reason: AbortReason) {
    super("the turn was aborted");
    this.name = "RunAborted";
    this.reason = reason;
  }
}

/** When a run is ended although its model would go on. */
export interface RunLimits {
  /** Model calls of one run. */
  readonly turnsPerRun: number;
  /** How often the same tool may fail with the same arguments, while no other call in between succeeds. */
  readonly identicalFailures: number;
}

export interface RunHost {
  readonly sessionId: string;
  /** The message that began the run. */
  readonly messageId: string;
  /** Aborts the run: the model's stream, and every tool. */
  readonly signal: AbortSignal;
  readonly workingDirectory: string;
  readonly retry: RetryPolicy;
  /** When the run is ended although the model would go on; none when absent. */
  readonly limits?: RunLimits;
  readonly streaming: boolean;
  /** The name under which providers are asked. */
  readonly userAgent?: string;
  /** Answers are to say what they rest on. */
  readonly citations?: boolean;
  /** The messages are another agent's, not a user's. */
  readonly isAgentInitiated?: boolean;
  /** Headers that the client wants on the model calls of this run. */
  readonly requestHeaders?: Readonly<Record<string, string>>;
  /** What the answers of this run must look like. */
  readonly responseFormat?: ResponseFormat;

  /** The hooks of those who are there now; undefined when nobody has any, and nothing is to be asked. */
  readonly hooks: RunHooks | undefined;

  /** What to send with the next call: the conversation, shortened where it would not fit the window. */
  fitContext(call: ContextCall): Promise<readonly ModelMessage[]>;
  /** The provider found the conversation too long: what to send instead; undefined when it cannot be shortened. */
  shortenContext(call: ContextCall): Promise<readonly ModelMessage[] | undefined>;
  messages(): readonly ModelMessage[];
  pendingToolCalls(): readonly PendingToolCall[];
  /** Logs an event; told to clients when committed. */
  append<T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): void;
  /** Tells clients something that is not logged. */
  emit<T extends SessionEventType>(type: T, data: SessionEventDataMap[T]): void;
  /** Resolves when all that was logged is committed; rejects when it cannot be. */
  committed(): Promise<void>;
  recordUsage(model: string, usage: ModelUsage, durationMs: number): void;

  /** Logs an error that nobody expected; clients are told only that there was one. */
  onBug(error: unknown): void;

  /** @throws RpcError or ModelError when there is no model to call. */
  resolveModel(): Promise<ActiveModel>;
  /** The system message for this call; logged by the host when it changed. */
  systemMessage(model: ActiveModel): Promise<string>;
  tools(): ToolSet;
  /** What the model reads of a tool that does not look after the size of its output itself. */
  fitOutput(text: string): string | Promise<string>;
  /** Asks whoever may allow it; resolves always. */
  askPermission(ask: PermissionAsk, call: PendingToolCall): Promise<PermissionVerdict>;
  /** Moves steering messages into the conversation; true when there were any. */
  takeSteering(): Promise<boolean>;
  /** The model's answer was cut off at its greatest length. Asks it for the rest; true when it did. */
  askForRest?(): boolean;
  /** The model stopped. Asks it to go on where its mode wants that; true when it did. */
  nudge?(): boolean;
  /** What was left out of the conversation before, and the provider refused the rest. */
  readonly leftOutInVain?: readonly LeftOutKind[];
  /** A refused conversation was tried without these: left out from now on where that helped. */
  leftOut?(kinds: readonly LeftOutKind[], helped: boolean): void;
  /** Whether something better than trying again can be done about an error of a model call. */
  canRecover?(error: ModelError): boolean;
  /** Does it; true when the model is to be called once more. */
  recover?(error: ModelError): Promise<boolean>;
}
