/**
 * What a session's log amounts to: the projection that the agent loop and the methods work on. Plain
 * data, since a checkpoint is this object as JSON. `apply` is the only thing that changes it.
 */
import type { SendAgentMode } from "@rightseat/protocol";
import type { ModelMessage, ResponseFormat } from "../../models/model-provider.ts";
import type { PermissionPolicy } from "../../permissions/policy.ts";
import type { Cut } from "../log/cuts.ts";

/** A prompt, or a slash command, that was acknowledged and waits for its turn. */
export interface QueuedPrompt {
  /** The id of the item; for a prompt it is the message's id, too. */
  readonly messageId: string;
  /** Default "message". A command's text is its `prompt`, slash and all. */
  readonly kind?: "message" | "command" | "notification";
  readonly prompt: string;
  readonly displayPrompt?: string;
  readonly attachments?: readonly unknown[];
  /** True while it may still enter the run in progress, between two model calls. */
  readonly steering: boolean;
  readonly agentMode?: SendAgentMode;
  /** The format of the answers of its run. */
  readonly responseFormat?: ResponseFormat;
  readonly source?: string;
  /** Grows with each item taken; set when it is folded. */
  readonly order?: number;
  /** For a notification: what clients are told. */
  readonly notification?: unknown;
}

/** A sub-agent that has begun and not ended. */
export interface OpenAgent {
  readonly agentId: string;
  readonly toolCallId: string;
  readonly agentName: string;
  readonly agentDisplayName: string;
}

/**
 * A sub-agent that has answered and can be told more. What it was asked, what it said and what it knows is in the lines
 * of the log that carry its id.
 */
export interface IdleAgent {
  readonly agentId: string;
  /** The parts of its definition that matter. */
  readonly agent: {
    readonly name: string;
    readonly displayName: string;
    readonly source: "application" | "user" | "project" | "builtin";
  };
  /** The name of the task. */
  readonly name: string;
  readonly description: string;
  /** 1 for one that the session itself started. */
  readonly depth: number;
  /** The sub-agent that started it; left out where the session itself did. */
  readonly parentAgentId?: string;
  /** The call that it worked for last. */
  readonly toolCallId: string;
  readonly mode: "sync" | "background";
  /** As the task asked for them. */
  readonly model?: string;
  readonly reasoningEffort?: string;
  /** The model that answered. */
  readonly resolvedModel?: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly idleSince: string;
  readonly activeMs: number;
}

/** Older ones are completed: they can be told nothing more. */
export const MOST_IDLE_AGENTS = 8;

/** A tool call whose result is not in the log yet, and how far it had come. */
export interface OpenToolCall {
  readonly toolCallId: string;
  readonly name: string;
  /** As the model wrote it, or a hook changed it. */
  arguments: string;
  started?: boolean;
  /** Set while a permission question waits for its answer. */
  permissionRequestId?: string;
  /** Set once permission was given, so that it is not asked again. */
  permitted?: boolean;
  /** Set while the client's tool runs. */
  externalRequestId?: string;
  /** Set while the call waits for a person's answer. */
  questionRequestId?: string;
}

export type SessionMode = "interactive" | "plan" | "autopilot";

/** The message that a run answers. */
export interface RunningPrompt {
  messageId: string;
  /** The id of the message's event; absent in states of older versions. */
  eventId?: string;
  turn: number;
  /** The mode that the message was sent in, until the mode is changed; the session's when left out. */
  agentMode?: SessionMode;
  /** Times that autopilot asked the model to go on since it last called a tool. */
  nudges?: number;
  /** What its answers must look like. */
  responseFormat?: ResponseFormat;
}

export interface UsageTotals {
  requests: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
  reasoningTokens: number;
  apiDurationMs: number;
  /** What the calls cost, in billionths of an AI credit, where the provider tells. */
  nanoAiu?: number;
}

/**
 * The part of a state that is a conversation's: a session has one, and each of its sub-agents one of its own. A sub-agent's
 * is in no checkpoint: the lines of the log that carry its id make it.
 */
export interface ConversationState {
  /** SHA-256 of the last system message in the log, to log it only when it changes. */
  systemMessageHash?: string;
  /** The model's context, oldest first, without the system message. */
  messages: ModelMessage[];
  /** Tokens that the provider counted last, and the messages they stand for; absent when the context is another since. */
  counted?: { tokens: number; messages: number };
  /** The tokens of the system message in the log, about. */
  systemTokens?: number;
  /** A compaction that has begun: the messages before this position are being summarised. */
  compaction?: { cut: number };
  /** Successful compactions so far. */
  compactions?: number;
  /** Numbers of files of summaries that belong to nobody, if there are any. */
  straySummaries?: number[];
  /** Tokens of context from which a compaction may begin by itself again. */
  compactAgainAt?: number;
  /** What users asked before the last compaction; bounded. */
  summarisedPrompts?: string[];
  openToolCalls: OpenToolCall[];
  /** What enters the conversation behind the results of the open tool calls. */
  heldContext?: string[];
  queue: QueuedPrompt[];
  /** Items taken into the queue so far. */
  queuedItems?: number;
  /** Ids of commands that people ran and whose end is not in the log. */
  userToolCalls?: readonly string[];
  /** Clients' tools as the model was last told of them. */
  clientTools?: { readonly offered: readonly string[]; readonly gone: readonly string[] };
  /** Ids of the messages taken last, oldest first; bounded. One that is sent again is known by them. */
  recentMessageIds?: string[];
  /** Names of deferred tools that a tool search brought up. */
  activatedTools?: string[];
  /** The message whose run has begun and not ended; a log that ends so was cut off. */
  running?: RunningPrompt;
  /** Runs so far: prompts that the model was asked to answer. */
  userRequests: number;
  turns: number;
}

export interface SessionState extends ConversationState {
  /** The version of this format; a checkpoint of another one is ignored. */
  readonly format: 1;
  /** Id of the last durable event: the `parentId` of the next. */
  lastEventId: string | null;
  /** Lines that clients may see: how many, and their bytes without newlines. */
  publicEvents: number;
  publicBytes: number;
  startTime: string;
  model?: string;
  reasoningEffort?: string;
  reasoningSummary?: string;
  mode: SessionMode;
  name?: string;
  title?: string;
  clientName?: string;
  /** What clients keep with the session; the server never looks into it. */
  clientMetadata?: Readonly<Record<string, string>>;
  workingDirectory?: string;
  context?: { cwd: string; gitRoot?: string; repository?: string; branch?: string };
  /** What the session may spend; absent for no limit. */
  sessionLimits?: { maxAiCredits: number };
  /** What tools change in files is kept. */
  tracksFiles?: boolean;
  /** What tools have changed in files; the paths are the first so many. */
  codeChanges?: { linesAdded: number; linesRemoved: number; files: string[] };
  /** The `cuts` whose changes of files were undone. */
  undoneFiles?: Cut[];
  /** Ranges of the log that rewinds took back, in its order; they never touch. */
  cuts?: Cut[];
  /** Sub-agents at work; those of a session that was just loaded were cut off. */
  openAgents?: readonly OpenAgent[];
  /** A sub-agent was started once, so that models are offered the tools that ask agents and tell them more. */
  hasHadAgents?: true;
  /** Sub-agents that can be told more, the one that answered last at the end; bounded. */
  idleAgents?: readonly IdleAgent[];
  /** The name of the custom agent that was selected last, until it was deselected. */
  selectedAgent?: string;
  usageByModel: Record<string, UsageTotals>;
  lastInputTokens: number;
  lastOutputTokens: number;
  hasPlan: boolean;
  /** Absent until somebody settles something. */
  permissions?: PermissionPolicy;
}

export function createConversationState(): ConversationState {
  return { messages: [], openToolCalls: [], queue: [], userRequests: 0, turns: 0 };
}

/** Written out: an object that is spread into another has a shape of its own in V8, some 700 bytes a session. */
export function createSessionState(): SessionState {
  return {
    messages: [],
    openToolCalls: [],
    queue: [],
    userRequests: 0,
    turns: 0,
    format: 1,
    lastEventId: null,
    publicEvents: 0,
    publicBytes: 0,
    startTime: "",
    mode: "interactive",
    usageByModel: {},
    lastInputTokens: 0,
    lastOutputTokens: 0,
    hasPlan: false,
  };
}

/** The state of a checkpoint, or undefined when it is of another format. */
export function parseSessionState(json: string): SessionState | undefined {
  let state: unknown;
  try {
    state = JSON.parse(json);
  } catch {
    return undefined;
  }
  return (state as SessionState | null)?.format === 1 ? (state as SessionState) : undefined;
}

export function emptyUsage(): UsageTotals {
  return {
    requests: 0,
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
    apiDurationMs: 0,
  };
}
