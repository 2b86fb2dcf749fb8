/** A prompt as its client sends it, and as it is kept. */
import { randomUUID } from "node:crypto";
import type { SendAgentMode } from "@rightseat/protocol";
import type { ResponseFormat } from "../../models/model-provider.ts";
import type { QueuedPrompt } from "../state/session-state.ts";
import type { RequestHeaders } from "./request-headers.ts";

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
  readonly agentMode?: SendAgentMode;
  readonly source?: string;
  readonly requestHeaders?: RequestHeaders;
  /** The format of all answers of the prompt's run. */
  readonly responseFormat?: ResponseFormat;
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
