/**
 * Records of our own in a session's log, beside the events that clients see. They have an event's
 * shape, a type that begins with `rightseat.`, and are never sent to anybody. A sub-agent's carry its id, as its events do.
 */
import type { LeftOutKind } from "../../agent/leave-out.ts";
import type { TruncationPlan } from "../../agent/truncate-messages.ts";
import type { ModelContentPart, ResponseFormat } from "../../models/model-provider.ts";
import type { PermissionPolicy } from "../../permissions/policy.ts";
import type { Cut } from "../log/cuts.ts";
import type { ClientMetadataPatch } from "./client-metadata.ts";
import type { IdleAgent, QueuedPrompt, UsageTotals } from "./session-state.ts";

export interface PrivateRecordMap {
  /** A prompt was acknowledged and waits. */
  "rightseat.prompt_queued": {
    prompt: QueuedPrompt;
    first?: boolean;
    /** The item that it waits in front of; wins over `first`. */
    before?: string;
  };
  /** An item that waits got another place: in front of another one, or the last. */
  "rightseat.queue_item_moved": { messageId: string; before?: string };
  /** Items wait no longer, and were not run. */
  "rightseat.queue_items_removed": { messageIds: readonly string[] };
  /** An item that waits was edited. */
  "rightseat.queue_item_changed": {
    messageId: string;
    changes: Partial<Pick<QueuedPrompt, "prompt" | "displayPrompt" | "steering" | "attachments">>;
  };
  /** The waiting prompts changed as a whole: moved, edited, removed. */
  "rightseat.queue_replaced": { prompts: QueuedPrompt[] };
  /** A queued command was carried out, or given up. */
  "rightseat.command_ended": { messageId: string };
  /** A tool call asked its question; a run gone on with asks it again under the same id. */
  "rightseat.question_asked": { toolCallId: string; requestId: string };
  /** A notification was put into the conversation. */
  "rightseat.notified": { messageId: string; steering: boolean };
  /** The run that a user message began is over; nothing of it is to be gone on with. */
  "rightseat.run_ended": { messageId: string; outcome: "done" | "aborted" | "failed" | "interrupted" };
  /** What the model gets instead of a user message's text: it has parts that are not text. */
  "rightseat.message_parts": { messageId: string; parts: readonly ModelContentPart[] };
  /** A hook added something for the model to read: after the results of the calls that are open, if any. */
  "rightseat.context_added": { content: string };
  /** The provider refused the conversation with these, and took it without. */
  "rightseat.left_out": { kinds: readonly LeftOutKind[] };
  /** What the answers to a user message must look like. */
  "rightseat.response_format": { messageId: string; responseFormat: ResponseFormat };
  /** A hook changed the arguments of a tool call. */
  "rightseat.call_changed": { toolCallId: string; arguments: string };
  /**
   * Tokens of one model call, as the provider counted them. `aside` when they say nothing of the context
   * as it is now: the call was made for something else, or the context changed while it ran.
   */
  "rightseat.usage": { model: string; usage: Omit<UsageTotals, "requests">; aside?: true };
  /** The context was too long for the model and was made shorter without a summary. */
  "rightseat.truncated": TruncationPlan;
  /** The lines between two cursors were taken back; `eventId` is the first of them that clients saw. */
  "rightseat.rewound": Cut & { eventId: string; undoesFiles?: boolean };
  /** What tools change in files is kept from here on, to be put back by a rewind. */
  "rightseat.file_tracking": Record<string, never>;
  /**
   * A tool is about to change a file. With `after`, the SHA-256 of what it writes, where changes are
   * tracked; `before` is that of what the file held: null for no file, left out when it was not kept.
   */
  "rightseat.file_changed": {
    path: string;
    linesAdded: number;
    linesRemoved: number;
    before?: string | null;
    after?: string;
  };
  /** A summary is about to be kept in a file of this number, for a compaction or because a client wants it. */
  "rightseat.summary_file": { number: number; by: "compaction" | "client" };
  /** Which of the clients' tools the model was last told of, and which it was told have gone. */
  "rightseat.client_tools": { offered: string[]; gone: string[] };
  /** The name that a user gave the session. */
  "rightseat.name_set": { name: string };
  /** What clients allowed and denied, as a whole. */
  "rightseat.permissions_set": { policy: PermissionPolicy };
  /** What the session is called until it has a name. */
  "rightseat.title_set": { title: string };
  /** The reasoning effort of a session whose model is found with its first prompt. */
  "rightseat.reasoning_effort_set": { reasoningEffort: string };
  /** A sub-agent has answered, and can be told more. With `answer` where a hook put another in place of its last message. */
  "rightseat.agent_idle": Omit<IdleAgent, "agentId"> & { answer?: string };
  /** A sub-agent that had answered can be told nothing more. */
  "rightseat.agent_gone": Record<string, never>;
  /** What clients keep with the session changed. */
  "rightseat.client_metadata": ClientMetadataPatch;
}

export type PrivateRecordType = keyof PrivateRecordMap;

/** Records about a conversation and its calls, which a sub-agent has of its own; all others are a session's. */
export type ConversationRecordType =
  | "rightseat.prompt_queued"
  | "rightseat.question_asked"
  | "rightseat.message_parts"
  | "rightseat.context_added"
  | "rightseat.call_changed"
  | "rightseat.left_out"
  | "rightseat.response_format"
  | "rightseat.truncated"
  | "rightseat.run_ended";

/** Whether a line of the log is one that clients may see; looks at the text only. */
export function isPublicLine(json: string): boolean {
  // Every line that we write begins with its type; other programs' lines never have our prefix.
  return !json.startsWith('{"type":"rightseat.');
}
