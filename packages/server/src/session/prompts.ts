/**
 * Prompts on their way in. A prompt is acknowledged once it is in the log: as the user message that
 * begins a run when the session is idle, otherwise as a record that it waits.
 */
import { randomUUID } from "node:crypto";
import { RpcError } from "@rightseat/protocol";
import type { ModelContentPart } from "../models/model-provider.ts";
import { type Attachment, renderPrompt, toLoggedAttachments } from "./attachments.ts";
import type { Session } from "./session.ts";
import type { QueuedPrompt } from "./session-state.ts";

export interface PromptInput {
  readonly prompt: string;
  /** Chosen by the client, so that it may send the prompt again; default one of ours. */
  readonly messageId?: string;
  readonly displayPrompt?: string;
  readonly attachments?: readonly unknown[];
  /** "immediate" steers the run in progress; default "enqueue". */
  readonly mode?: "enqueue" | "immediate";
  /** Goes before the prompts that wait. */
  readonly prepend?: boolean;
  readonly agentMode?: string;
  readonly source?: string;
  readonly requestHeaders?: Readonly<Record<string, string>>;
}

/** Starts a run when there is something to run and none is running; see `run.ts`. */
export type StartRun = (session: Session, prompt: QueuedPrompt) => void;

const MESSAGE_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * Whether a prompt was taken before under the id that its client gave it: it is not taken twice.
 * @throws RpcError `invalid_params` for what cannot be an id.
 */
export function wasTaken(session: Session, { messageId }: Pick<PromptInput, "messageId">): boolean {
  if (messageId === undefined || messageId === null) return false;
  if (typeof messageId !== "string" || !MESSAGE_ID.test(messageId)) {
    throw new RpcError(
      "invalid_params",
      "session.send: messageId: expected 1 to 128 characters of ASCII without spaces",
      { path: "messageId" },
    );
  }
  const { recentMessageIds, queue } = session.state;
  return (
    recentMessageIds?.includes(messageId) === true ||
    session.run?.messageId === messageId ||
    queue.some((waiting) => waiting.messageId === messageId)
  );
}

/** Takes a prompt; resolves with its message id once it is committed. */
export async function acceptPrompt(
  session: Session,
  input: PromptInput,
  startRun: StartRun,
): Promise<string> {
  if (session.closing)
    throw new RpcError("session_not_found", `Session not found: ${session.id} (it is being closed)`);
  const prompt: QueuedPrompt = {
    messageId: input.messageId ?? randomUUID(),
    prompt: input.prompt,
    steering: input.mode === "immediate" && session.run !== undefined,
    ...(input.displayPrompt !== undefined ? { displayPrompt: input.displayPrompt } : {}),
    ...(input.attachments && input.attachments.length > 0 ? { attachments: input.attachments } : {}),
    ...(input.agentMode !== undefined ? { agentMode: input.agentMode } : {}),
    ...(input.source !== undefined ? { source: input.source } : {}),
    ...(input.requestHeaders ? { requestHeaders: input.requestHeaders } : {}),
  };
  session.emit("pending_messages.modified", {});
  if (session.run === undefined && session.state.queue.length === 0) {
    startRun(session, prompt);
  } else {
    session.record("rightseat.prompt_queued", { prompt, ...(input.prepend ? { first: true } : {}) });
    if (session.run === undefined) startNextRun(session, startRun);
  }
  await session.committed();
  return prompt.messageId;
}

/** Begins the run of the prompt that waits longest, if any. */
export function startNextRun(session: Session, startRun: StartRun): boolean {
  const next = session.state.queue[0];
  if (!next || session.run !== undefined || session.closing) return false;
  session.emit("pending_messages.modified", {});
  startRun(session, next);
  return true;
}

/** What waits, in order, without the item whose turn has come. */
export function waitingItems(session: Session): QueuedPrompt[] {
  const begun = session.run?.messageId;
  return session.state.queue.filter((item) => item.messageId !== begun);
}

export interface UserMessageOptions {
  readonly delivery: "idle" | "steering" | "queued";
  readonly workingDirectory: string;
  readonly supportsVision: boolean;
  readonly supportsDocuments: boolean;
}

/** Puts a prompt into the conversation. Without attachments it does so in this very tick. */
export function logUserMessage(
  session: Session,
  prompt: QueuedPrompt,
  options: UserMessageOptions,
): void | Promise<void> {
  if (!prompt.attachments) {
    appendUserMessage(session, prompt, options, prompt.prompt);
    return;
  }
  return renderPrompt({
    prompt: prompt.prompt,
    attachments: prompt.attachments as Attachment[],
    workingDirectory: options.workingDirectory,
    supportsVision: options.supportsVision,
    // Documents that were sent go to every model; whether it takes them is its own to say.
    ...(options.supportsDocuments ? { supportsDocuments: true } : {}),
  }).then((content) => appendUserMessage(session, prompt, options, content));
}

function appendUserMessage(
  session: Session,
  prompt: QueuedPrompt,
  options: UserMessageOptions,
  content: string | readonly ModelContentPart[],
): void {
  const text = typeof content === "string" ? content : textOf(content);
  session.append("user.message", {
    content: prompt.displayPrompt ?? prompt.prompt,
    messageId: prompt.messageId,
    transformedContent: text,
    delivery: options.delivery,
    attachments: toLoggedAttachments((prompt.attachments ?? []) as Attachment[]) as never,
    ...(prompt.source !== undefined ? { source: prompt.source } : {}),
    ...(isAgentMode(prompt.agentMode) ? { agentMode: prompt.agentMode } : {}),
  });
  if (typeof content !== "string")
    session.record("rightseat.message_parts", { messageId: prompt.messageId, parts: content });
}

function isAgentMode(mode: string | undefined): mode is "interactive" | "plan" | "autopilot" | "shell" {
  return mode === "interactive" || mode === "plan" || mode === "autopilot" || mode === "shell";
}

function textOf(parts: readonly ModelContentPart[]): string {
  return parts
    .filter((part) => part.type === "text")
    .map((part) => part.text)
    .join("\n");
}
