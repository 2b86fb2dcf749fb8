/** How a prompt becomes a message of the conversation. */

import { toBlock } from "../../agent/prompt-blocks.ts";
import { withTime } from "../../agent/prompt-time.ts";
import type { ModelContentPart } from "../../models/model-provider.ts";
import type { Reach } from "../../tools/reach.ts";
import type { PromptHooks } from "../abilities/hooks/prompt-hooks.ts";
import type { Session } from "../open/session.ts";
import type { QueuedPrompt } from "../state/session-state.ts";
import type { PromptAttachment } from "./attachments.ts";
import { toLoggedAttachments } from "./logged-attachments.ts";
import { noticeOfTools } from "./tools-notice.ts";

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
        attachments: given.attachments as PromptAttachment[],
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

/** What the model reads: the prompt, when it came, and what hooks add to it. The first of several parts is the prompt's. */
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
    attachments: toLoggedAttachments((prompt.attachments ?? []) as PromptAttachment[]) as never,
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
