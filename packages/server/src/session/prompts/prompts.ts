/**
 * Prompts on their way in. A prompt is acknowledged once it is in the log: as the user message that
 * begins a run when the session is idle, otherwise as a record that it waits.
 */
import { randomUUID } from "node:crypto";
import { RpcError } from "@rightseat/protocol";
import type { ModelContentPart, ResponseFormat } from "../../models/model-provider.ts";
import type { Reach } from "../../tools/reach.ts";
import type { PromptHooks } from "../hooks/prompt-hooks.ts";
import type { Session } from "../session.ts";
import type { QueuedPrompt } from "../session-state.ts";
import type { Attachment } from "./attachments.ts";
import { toLoggedAttachments } from "./logged-attachments.ts";
import { toBlock } from "./prompt-blocks.ts";
import { withTime } from "./prompt-time.ts";
import { keepRequestHeaders, type RequestHeaders } from "./request-headers.ts";
import { noticeOfTools } from "./tools-notice.ts";

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
  readonly requestHeaders?: RequestHeaders;
  /** Of all answers of the prompt's run. */
  readonly responseFormat?: ResponseFormat;
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

/** Whether a prompt was taken before, and there is no end left to wait for. */
export function isDealtWith(session: Session, prompt: Pick<PromptInput, "messageId">): boolean {
  const { messageId } = prompt;
  const isOpen =
    session.run?.messageId === messageId ||
    session.state.queue.some((waiting) => waiting.messageId === messageId);
  return wasTaken(session, prompt) && !isOpen;
}

/** Takes a prompt; resolves with its message id once it is committed. */
export async function acceptPrompt(
  session: Session,
  input: PromptInput,
  startRun: StartRun,
): Promise<string> {
  if (session.closing)
    throw new RpcError("session_not_found", `Session not found: ${session.id} (it is being closed)`);
  checkResponseFormat(input);
  const steering = input.mode === "immediate" && session.run !== undefined;
  const prompt: QueuedPrompt = { ...toQueuedPrompt(input), steering };
  keepRequestHeaders(session, prompt.messageId, input.requestHeaders);
  session.emit("pending_messages.modified", {});
  if (session.run === undefined && session.state.queue.length === 0 && !isHeld(session)) {
    startRun(session, prompt);
  } else {
    session.record("rightseat.prompt_queued", { prompt, ...(input.prepend ? { first: true } : {}) });
    if (session.run === undefined) startNextRun(session, startRun);
  }
  await session.committed();
  return prompt.messageId;
}

/** A prompt as it is kept, under the id that its client chose, or one of ours. */
export function toQueuedPrompt(input: PromptInput): QueuedPrompt {
  return {
    messageId: input.messageId ?? randomUUID(),
    prompt: input.prompt,
    steering: false,
    ...(input.displayPrompt !== undefined ? { displayPrompt: input.displayPrompt } : {}),
    ...(input.attachments && input.attachments.length > 0 ? { attachments: input.attachments } : {}),
    ...(input.agentMode !== undefined ? { agentMode: input.agentMode } : {}),
    ...(input.source !== undefined ? { source: input.source } : {}),
    ...(input.responseFormat ? { responseFormat: input.responseFormat } : {}),
  };
}

/** Of a schema as JSON, as the contract has it. */
const MAX_SCHEMA_BYTES = 32 * 1024 * 1024;

/** @throws RpcError `invalid_params` for a format that no run can have. */
function checkResponseFormat({ responseFormat, mode }: PromptInput): void {
  if (!responseFormat) return;
  const refuse = (path: string, why: string) =>
    new RpcError("invalid_params", `session.send: ${path}: ${why}`, { path });
  if (mode === "immediate")
    throw refuse(
      "responseFormat",
      'not with mode "immediate": a message that steers a run has the format of that run',
    );
  const schemaPath = "responseFormat.jsonSchema.schema";
  const { schema } = responseFormat.jsonSchema;
  if (schema === null) throw refuse(schemaPath, "is required");
  const bytes = Buffer.byteLength(JSON.stringify(schema) ?? "");
  if (bytes > MAX_SCHEMA_BYTES)
    throw refuse(schemaPath, `expected at most ${MAX_SCHEMA_BYTES} bytes, got ${bytes}`);
}

/** Whether a client wants nothing of the queue begun; see `holdQueue`. */
function isHeld(session: Session): boolean {
  for (const attachment of session.attachments.values()) if (attachment.holdsQueue) return true;
  return false;
}

/** Begins the run of the prompt that waits longest, if any. */
export function startNextRun(session: Session, startRun: StartRun): boolean {
  const next = session.state.queue[0];
  if (!next || session.run !== undefined || session.closing || isHeld(session)) return false;
  session.emit("pending_messages.modified", {});
  startRun(session, next);
  return true;
}

/** What clients see waiting, in order, without the item whose turn has come. */
export function waitingItems(session: Session): QueuedPrompt[] {
  const begun = session.run?.messageId;
  return session.state.queue.filter((item) => item.messageId !== begun && item.kind !== "notification");
}

export interface UserMessageOptions {
  readonly delivery: "idle" | "steering" | "queued";
  readonly workingDirectory: string;
  /** Which files its attachments may be. */
  readonly reach: Reach;
  readonly supportsVision: boolean;
  readonly supportsDocuments: boolean;
  readonly hooks?: PromptHooks | undefined;
}

/**
 * Puts a prompt into the conversation; false when a hook blocked it, which its clients are told. Without
 * attachments and hooks it does so in this very tick.
 */
export function logUserMessage(
  session: Session,
  prompt: QueuedPrompt,
  options: UserMessageOptions,
): boolean | Promise<boolean> {
  if (prompt.kind === "notification") {
    const { messageId, notification, prompt: content } = prompt;
    session.append("system.notification", { content, kind: notification as never });
    session.record("rightseat.notified", { messageId, steering: options.delivery === "steering" });
    return true;
  }
  if (prompt.attachments || options.hooks) return prepareUserMessage(session, prompt, options);
  appendUserMessage(session, prompt, options, toModelContent(prompt.prompt, []));
  return true;
}

/** The prompt waits no longer, and nothing of it is in the conversation. */
function tellBlocked(session: Session, { messageId }: QueuedPrompt, reason: string): void {
  session.record("rightseat.queue_items_removed", { messageIds: [messageId] });
  session.emit("session.warning", {
    warningType: "policy_blocked",
    message: reason,
    originatingMessageId: messageId,
  });
  session.emit("pending_messages.modified", {});
}

async function prepareUserMessage(
  session: Session,
  given: QueuedPrompt,
  options: UserMessageOptions,
): Promise<boolean> {
  const { hooks } = options;
  const submitted = await hooks?.submit(given.prompt);
  if (submitted?.blocked) {
    tellBlocked(session, given, submitted.reason);
    return false;
  }
  const prompt = submitted?.prompt ?? given.prompt;
  const rendered = given.attachments
    ? await (await import("./attachments.ts")).renderPrompt({
        prompt,
        attachments: given.attachments as Attachment[],
        workingDirectory: options.workingDirectory,
        reach: options.reach,
        supportsVision: options.supportsVision,
        // Documents that were sent go to every model; whether it takes them is its own to say.
        ...(options.supportsDocuments ? { supportsDocuments: true } : {}),
      })
    : prompt;
  const content = toModelContent(rendered, submitted?.contexts ?? []);
  const text = promptText(content);
  const transformed = (await hooks?.transform(prompt, text)) ?? text;
  appendUserMessage(
    session,
    given,
    options,
    transformed === text ? content : withPromptText(content, transformed),
  );
  return true;
}

/** What the model reads: the prompt, when it came, and what hooks add to it. Of parts the first is the prompt's. */
function toModelContent(
  content: string | readonly ModelContentPart[],
  contexts: readonly string[],
): string | readonly ModelContentPart[] {
  const after = contexts.map((context) => `\n\n${toBlock("system_reminder", context)}`).join("");
  return withPromptText(content, withTime(promptText(content) + after));
}

/** The prompt with what stands around it. Texts behind it are captions, and stay with their images. */
function promptText(content: string | readonly ModelContentPart[]): string {
  if (typeof content === "string") return content;
  const [first] = content;
  return first?.type === "text" ? first.text : "";
}

function withPromptText(
  content: string | readonly ModelContentPart[],
  text: string,
): string | readonly ModelContentPart[] {
  if (typeof content === "string") return text;
  const attached = content[0]?.type === "text" ? content.slice(1) : content;
  return text === "" ? attached : [{ type: "text", text }, ...attached];
}

function appendUserMessage(
  session: Session,
  prompt: QueuedPrompt,
  options: UserMessageOptions,
  written: string | readonly ModelContentPart[],
): void {
  const notice = options.delivery === "steering" ? undefined : noticeOfTools(session);
  const content = notice === undefined ? written : withNotice(notice, written);
  session.append("user.message", {
    content: prompt.displayPrompt ?? prompt.prompt,
    messageId: prompt.messageId,
    transformedContent: toText(content),
    delivery: options.delivery,
    attachments: toLoggedAttachments((prompt.attachments ?? []) as Attachment[]) as never,
    ...(prompt.source !== undefined ? { source: prompt.source } : {}),
    ...(isAgentMode(prompt.agentMode) ? { agentMode: prompt.agentMode } : {}),
  });
  const { messageId, responseFormat } = prompt;
  if (responseFormat && options.delivery !== "steering")
    session.record("rightseat.response_format", { messageId, responseFormat });
  if (typeof content !== "string")
    session.record("rightseat.message_parts", { messageId: prompt.messageId, parts: content });
}

function withNotice(
  notice: string,
  content: string | readonly ModelContentPart[],
): string | readonly ModelContentPart[] {
  return typeof content === "string"
    ? `${notice}\n\n${content}`
    : [{ type: "text", text: notice }, ...content];
}

function isAgentMode(mode: string | undefined): mode is "interactive" | "plan" | "autopilot" | "shell" {
  return mode === "interactive" || mode === "plan" || mode === "autopilot" || mode === "shell";
}

function toText(content: string | readonly ModelContentPart[]): string {
  if (typeof content === "string") return content;
  return content
    .filter((part) => part.type === "text")
    .map((part) => part.text)
    .join("\n");
}
