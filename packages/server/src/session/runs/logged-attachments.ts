import { basename } from "node:path";
import type { PromptAttachment } from "./attachments.ts";

/**
 * Attachments as events carry them: what the wire's contract requires and clients may leave out is
 * filled in.
 */
export function toLoggedAttachments(attachments: readonly PromptAttachment[]): PromptAttachment[] {
  return attachments.map((attachment) => {
    if (attachment.type === "file" || attachment.type === "directory")
      return { ...attachment, displayName: attachment.displayName ?? basename(attachment.path) };
    if (attachment.type === "selection")
      return {
        ...attachment,
        displayName: attachment.displayName ?? basename(attachment.filePath),
        text: attachment.text ?? "",
        selection: attachment.selection ?? NOWHERE,
      };
    return attachment;
  });
}

const NOWHERE = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };
