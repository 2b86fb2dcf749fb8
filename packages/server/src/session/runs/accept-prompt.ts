/**
 * Prompts on their way in. A prompt is acknowledged once it is in the log: as the user message that
 * begins a run when the session is idle, otherwise as a record that it waits.
 */
import { RpcError } from "@rightseat/protocol";
import type { Session } from "../open/session.ts";
import type { QueuedPrompt } from "../state/session-state.ts";
import { type PromptInput, toQueuedPrompt } from "./prompt-input.ts";
import { keepRequestHeaders } from "./request-headers.ts";
import { type RunServices, startRun } from "./run.ts";
import { isHeld } from "./waiting.ts";

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
  services: RunServices,
  session: Session,
  input: PromptInput,
): Promise<string> {
  if (session.closing)
    throw new RpcError("session_not_found", `Session not found: ${session.id} (it is being closed)`);
  checkResponseFormat(input);
  const steering = input.mode === "immediate" && session.run !== undefined;
  const prompt: QueuedPrompt = { ...toQueuedPrompt(input), steering };
  keepRequestHeaders(session, prompt.messageId, input.requestHeaders);
  session.emit("pending_messages.modified", {});
  if (session.run === undefined && session.state.queue.length === 0 && !isHeld(session)) {
    startRun(services, session, prompt);
  } else {
    session.record("rightseat.prompt_queued", { prompt, ...(input.prepend ? { first: true } : {}) });
    session.signal("prompt-waits");
  }
  await session.committed();
  return prompt.messageId;
}

/** The size of a schema as JSON, as the contract has it. */
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
